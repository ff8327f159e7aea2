"""How much each feature moves a model's answers, so that drift is weighed by what it means to the model."""

from typing import Any

import numpy as np
import pandas as pd

from vigie.domain.task import Task
from vigie.training.scoring import scores_of

MOST_ROWS = 500
"""Rows that are shuffled: the weights need one digit, not three."""


def importance_of(model: Any, task: Task, frame: pd.DataFrame, *, seed: int) -> tuple[float, ...] | None:
    """Return each feature's part in what the model answers.

    A feature's values are shuffled among some rows, once; what counts is how far the answers move on average. No
    outcome is needed, and it means the same for every kind of model. Features that say the same share their part.

    Args:
        model: fitted, as ``scores_of`` takes it.
        task: what it answers.
        frame: rows, shape (n, n_features).
        seed: which rows, and how they are shuffled.

    Returns:
        Shares that add up to 1, one per column; None where no feature moves the answers.

    Source:
        Breiman (2001), Random forests, section 10, on the answers instead of the loss, as in Fisher, Rudin and Dominici
        (2019), All models are wrong, but many are useful.
    """
    rng = np.random.default_rng(seed)
    rows = frame.iloc[rng.permutation(len(frame))[:MOST_ROWS]]
    shuffled = rng.permutation(len(rows))
    before = _answers(model, task, rows)
    moved = []
    for name in frame.columns:
        asked = rows.assign(**{name: rows[name].to_numpy()[shuffled]})
        moved.append(float(np.abs(_answers(model, task, asked) - before).mean()))
    total = sum(moved)
    return tuple(value / total for value in moved) if total > 0 and np.isfinite(total) else None


def _answers(model: Any, task: Task, frame: pd.DataFrame) -> np.ndarray:
    """Return what the model says: numbers, or probabilities of shape (n, n_classes)."""
    scores = scores_of(model, task, frame, np.zeros(len(frame)))
    return scores.predicted if scores.proba is None else scores.proba
