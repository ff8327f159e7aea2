"""scikit-learn's histogram boosting as it comes: the peer that is always installed, for the short run."""

from pathlib import Path
from typing import Any

import joblib
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from benchmarks.training.engines.engine import Score, run
from benchmarks.training.engines.frames import Columns, training_frame


def train(request: Any) -> list[str]:
    """Fit with defaults; pandas' categories are its own."""
    X, y, columns = training_frame(request)
    kind = HistGradientBoostingClassifier if columns.classes else HistGradientBoostingRegressor
    model = kind(random_state=request["seed"]).fit(X, y)
    joblib.dump(model, Path(request["folder"]) / "model.joblib")
    columns.save(Path(request["folder"]))
    return []


def load(folder: Path) -> Score:
    """Open the stored model."""
    model, columns = joblib.load(folder / "model.joblib"), Columns.read(folder)

    def score(records: Any) -> list[Any]:
        ask = model.predict_proba if columns.classes else model.predict
        answers: list[Any] = ask(columns.frame(records)).tolist()
        return answers

    return score


if __name__ == "__main__":
    run(train, load)
