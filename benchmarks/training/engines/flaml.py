"""FLAML: its default estimators within a time budget, stored as a pickle, as its documentation does it."""

import pickle
from pathlib import Path
from typing import Any

from flaml import AutoML

from benchmarks.training.engines.engine import Score, run
from benchmarks.training.engines.frames import Columns, training_frame

TASKS = {"binary": "classification", "regression": "regression", "multiclass": "classification"}


def train(request: Any) -> list[str]:
    """Search for ``budget_s`` seconds, then fit the best on all rows."""
    X, y, columns = training_frame(request)
    model = AutoML()
    model.fit(
        X_train=X,
        y_train=y,
        task=TASKS[request["task"]],
        metric=request["metric"],
        time_budget=request["budget_s"],
        n_jobs=1,
        seed=request["seed"],
        verbose=0,
    )
    with (Path(request["folder"]) / "automl.pkl").open("wb") as file:
        pickle.dump(model, file, pickle.HIGHEST_PROTOCOL)
    columns.save(Path(request["folder"]))
    return [f"chose {model.best_estimator}"]


def load(folder: Path) -> Score:
    """Open the pickle."""
    with (folder / "automl.pkl").open("rb") as file:
        model = pickle.load(file)  # noqa: S301  our own file of a moment ago; FLAML has no other format
    columns = Columns.read(folder)

    def score(records: Any) -> list[Any]:
        ask = model.predict_proba if columns.classes else model.predict
        answers: list[Any] = ask(columns.frame(records)).tolist()
        return answers

    return score


if __name__ == "__main__":
    run(train, load)
