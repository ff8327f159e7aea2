"""Save a case's model in MLflow's own environment, with a signature; classifiers answer probabilities."""

import json
import os
import shutil
import sys
from pathlib import Path

import joblib
import mlflow.sklearn
import pandas as pd
from mlflow.models import infer_signature

folder = Path(os.environ["CASE"])
case = json.loads((folder / "case.json").read_text())
model, frame = joblib.load(folder / "model.joblib"), pd.DataFrame(case["rows"])
answer = model.predict_proba if case["classes"] else model.predict
shutil.rmtree(folder / "mlflow", ignore_errors=True)
mlflow.sklearn.save_model(
    model,
    folder / "mlflow",
    signature=infer_signature(frame, answer(frame)),
    pyfunc_predict_fn=answer.__name__,
    serialization_format="cloudpickle",
)
sys.stdout.write("{}")
