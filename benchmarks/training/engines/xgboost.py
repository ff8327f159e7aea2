"""XGBoost: native categories, stored as its own binary JSON."""

from pathlib import Path
from typing import Any

import numpy as np
import xgboost

from benchmarks.training.engines.engine import Score, run
from benchmarks.training.engines.frames import Columns, both_classes, training_frame

OBJECTIVES = {"binary": "binary:logistic", "regression": "reg:squarederror", "multiclass": "multi:softprob"}


def train(request: Any) -> list[str]:
    """Fit with defaults and the rounds of the request."""
    X, y, columns = training_frame(request)
    params = {"objective": OBJECTIVES[request["task"]], "nthread": 1, "seed": request["seed"]}
    if request["task"] == "multiclass":
        params["num_class"] = len(columns.classes)
    table = xgboost.DMatrix(X, y, enable_categorical=True, nthread=1)
    booster = xgboost.train(params, table, num_boost_round=request["rounds"])
    booster.save_model(Path(request["folder"]) / "model.ubj")
    columns.save(Path(request["folder"]))
    return []


def load(folder: Path) -> Score:
    """Open the stored model."""
    booster, columns = xgboost.Booster(model_file=folder / "model.ubj"), Columns.read(folder)
    booster.set_param({"nthread": 1})

    def score(records: Any) -> list[Any]:
        # inplace_predict would be faster, but it takes no categories of pandas 3's making in every version
        found: np.ndarray = booster.predict(xgboost.DMatrix(columns.frame(records), enable_categorical=True, nthread=1))
        return both_classes(found) if len(columns.classes) == 2 else found.tolist()

    return score


if __name__ == "__main__":
    run(train, load)
