"""The service that courses and blog posts teach: FastAPI, pydantic, a DataFrame, a log line, a file of predictions.

It lives in an environment without Vigie: ``CASE`` names the folder with the model and its description.
"""

import json
import logging
import os
import time
import uuid
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
from fastapi import FastAPI, Request
from pydantic import create_model

FOLDER = Path(os.environ["CASE"])
CASE = json.loads((FOLDER / "case.json").read_text())
TYPES = {"number": float, "text": str}
FIELDS: dict[str, Any] = {name: (TYPES[kind], ...) for name, kind in CASE["features"].items()}
Row: Any = create_model("Row", **FIELDS)

logging.basicConfig(
    filename=FOLDER / "textbook.log", level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
)
logger = logging.getLogger("api")
model = joblib.load(FOLDER / "model.joblib")
app = FastAPI()


@app.middleware("http")
async def log_requests(request: Request, call_next: Any) -> Any:
    """Log every request, as the source chapter's middleware does."""
    started = time.perf_counter()
    response = await call_next(request)
    elapsed_ms = (time.perf_counter() - started) * 1000
    logger.info("%s %s %d %.1f ms", request.method, request.url.path, response.status_code, elapsed_ms)
    return response


@app.post("/predict")
def predict(row: Row) -> dict[str, Any]:
    """Answer one row and append it to a file."""
    frame = pd.DataFrame([row.model_dump()])
    said = float(model.predict_proba(frame)[0, 1] if CASE["classes"] else model.predict(frame)[0])
    answer = {"prediction_id": str(uuid.uuid4()), "prediction": said}
    line = {"timestamp": time.time(), "input": row.model_dump(), **answer}
    with (FOLDER / "predictions.jsonl").open("a") as log:
        log.write(json.dumps(line) + "\n")
    return answer
