"""The same model as a BentoML service without batching, its default; ``CASE`` names the model's folder."""

import json
import os
from pathlib import Path
from typing import Any

import bentoml
import joblib
import pandas as pd

FOLDER = Path(os.environ["CASE"])
CASE = json.loads((FOLDER / "case.json").read_text())


@bentoml.service
class Model:
    """One model."""

    def __init__(self) -> None:
        self._model = joblib.load(FOLDER / "model.joblib")

    @bentoml.api  # type: ignore[untyped-decorator,unused-ignore]  # BentoML is not in this environment
    def predict(self, rows: list[dict[str, Any]]) -> list[float]:
        """Answer some rows."""
        frame = pd.DataFrame(rows)
        said = self._model.predict_proba(frame)[:, 1] if CASE["classes"] else self._model.predict(frame)
        answers: list[float] = said.tolist()
        return answers
