"""XGBoost: native categories, stored as its own binary JSON."""

from pathlib import Path
from typing import Any

import numpy as np
import xgboost

from benchmarks.training.engines.engine import Score, run
from benchmarks.training.engines.frames import Columns, both_classes, training_matrix

OBJECTIVES = {"binary": "binary:logistic", "regression": "reg:squarederror", "multiclass": "multi:softprob"}


def train(request: Any) -> list[str]:
    """Fit with defaults and the rounds of the request."""
    X, y, columns = training_matrix(request)
    params = {"objective": OBJECTIVES[request["task"]], "nthread": 1, "seed": request["seed"]}
    if request["task"] == "multiclass":
        params["num_class"] = len(columns.classes)
    table = xgboost.DMatrix(X, y, feature_types=_kinds(columns), nthread=1)
    booster = xgboost.train(params, table, num_boost_round=request["rounds"])
    booster.save_model(Path(request["folder"]) / "model.ubj")
    columns.save(Path(request["folder"]))
    return []


def load(folder: Path) -> Score:
    """Open the stored model."""
    booster, columns = xgboost.Booster(model_file=folder / "model.ubj"), Columns.read(folder)
    booster.set_param({"nthread": 1})
    kinds = _kinds(columns)

    def score(records: Any) -> list[Any]:
        rows = xgboost.DMatrix(columns.matrix(records), feature_types=kinds, nthread=1)
        found: np.ndarray = booster.predict(rows)
        return both_classes(found) if len(columns.classes) == 2 else found.tolist()

    return score


def _kinds(columns: Columns) -> list[str]:
    return ["c" if name in columns.levels else "q" for name in columns.names]


if __name__ == "__main__":
    run(train, load)
