"""CatBoost: its own handling of categories (missing ones become a level, as its documentation asks)."""

from collections.abc import Sequence
from math import nan
from pathlib import Path
from typing import Any

import catboost

from benchmarks.training.engines.engine import Score, run
from benchmarks.training.engines.frames import Columns, training_frame

MISSING = "missing"


def train(request: Any) -> list[str]:
    """Fit with defaults and the rounds of the request."""
    X, y, columns = training_frame(request)
    kind = catboost.CatBoostClassifier if columns.classes else catboost.CatBoostRegressor
    model = kind(
        iterations=request["rounds"],
        thread_count=1,
        random_seed=request["seed"],
        verbose=False,
        allow_writing_files=False,
        cat_features=list(columns.levels),
    )
    texts = {name: X[name].astype(object).where(X[name].notna(), MISSING) for name in columns.levels}
    model.fit(X.assign(**texts), y)
    model.save_model(str(Path(request["folder"]) / "model.cbm"))
    columns.save(Path(request["folder"]))
    return []


def load(folder: Path) -> Score:
    """Open the stored model."""
    columns = Columns.read(folder)
    kind = catboost.CatBoostClassifier if columns.classes else catboost.CatBoostRegressor
    model = kind().load_model(str(folder / "model.cbm"))

    def score(records: Sequence[dict[str, Any]]) -> list[Any]:
        ask = model.predict_proba if columns.classes else model.predict
        answers: list[Any] = ask([_row(record, columns) for record in records], thread_count=1).tolist()
        return answers

    return score


def _row(record: dict[str, Any], columns: Columns) -> list[Any]:
    """Return a row as CatBoost takes it without a frame; levels it never met are fine."""
    found = ((name, record[name]) for name in columns.names)
    return [value if value is not None else MISSING if name in columns.levels else nan for name, value in found]


if __name__ == "__main__":
    run(train, load)
