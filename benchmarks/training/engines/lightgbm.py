"""LightGBM: native categories, stored as its own text file."""

from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

from benchmarks.training.engines.engine import Score, run
from benchmarks.training.engines.frames import Columns, both_classes, training_matrix

OBJECTIVES = {"binary": "binary", "regression": "regression", "multiclass": "multiclass"}


def train(request: Any) -> list[str]:
    """Fit with defaults; ``rounds`` in the request, 100 unless it says otherwise."""
    X, y, columns = training_matrix(request)
    params = {"objective": OBJECTIVES[request["task"]], "num_threads": 1, "verbose": -1, "seed": request["seed"]}
    if request["task"] == "multiclass":
        params["num_class"] = len(columns.classes)
    places = [columns.names.index(name) for name in columns.levels]
    table = lightgbm.Dataset(X, y, categorical_feature=places)
    booster = lightgbm.train(params, table, num_boost_round=request.get("rounds", 100))
    booster.save_model(Path(request["folder"]) / "model.txt")
    columns.save(Path(request["folder"]))
    return []


def load(folder: Path) -> Score:
    """Open the text file."""
    booster, columns = lightgbm.Booster(model_file=folder / "model.txt"), Columns.read(folder)

    def score(records: Any) -> list[Any]:
        found: np.ndarray = booster.predict(columns.matrix(records), num_threads=1)
        return both_classes(found) if len(columns.classes) == 2 else found.tolist()

    return score


if __name__ == "__main__":
    run(train, load)
