"""CatBoost: its own handling of categories (missing ones become a level, as its documentation asks)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import catboost
import pandas as pd

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
    model.fit(_texts(X, columns), y)
    model.save_model(str(Path(request["folder"]) / "model.cbm"))
    columns.save(Path(request["folder"]))
    return []


def load(folder: Path) -> Score:
    """Open the stored model."""
    columns = Columns.read(folder)
    kind = catboost.CatBoostClassifier if columns.classes else catboost.CatBoostRegressor
    model = kind().load_model(str(folder / "model.cbm"))

    def score(records: Sequence[dict[str, Any]]) -> list[Any]:
        frame = _texts(pd.DataFrame.from_records(list(records), columns=columns.names), columns)
        ask = model.predict_proba if columns.classes else model.predict
        answers: list[Any] = ask(frame, thread_count=1).tolist()
        return answers

    return score


def _texts(frame: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    """Return categories as text (CatBoost takes levels it never met), everything else as numbers."""
    texts = {name: frame[name].astype(object).where(frame[name].notna(), MISSING) for name in columns.levels}
    numbers = {name: "float64" for name in columns.names if name not in columns.levels}
    return frame.assign(**texts).astype(numbers)


if __name__ == "__main__":
    run(train, load)
