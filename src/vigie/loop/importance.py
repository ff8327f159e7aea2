"""How much each feature moves a model's answers, so that drift is weighed by what it means to the model."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from vigie.domain.task import Task
from vigie.training.scoring import scores_of

MOST_ROWS = 500
"""Rows that are shuffled: the weights need one digit, not three."""

_MOST_CELLS = 200_000
"""Rows times features of one question: of a wide table, fewer rows are shuffled."""

_TOGETHER = 4_000_000
"""Cells asked at once, about: a call of scikit-learn costs as much as thousands of cells."""


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
    n = min(MOST_ROWS, max(1, _MOST_CELLS // frame.shape[1]))
    rows = frame.iloc[rng.permutation(len(frame))[:n]]
    shuffled = rng.permutation(len(rows))
    before = _answers(model, task, rows)
    n_together = max(1, _TOGETHER // rows.size)
    moved: list[float] = []
    for start in range(0, frame.shape[1], n_together):
        names = list(frame.columns[start : start + n_together])
        answers = _answers(model, task, _copies(rows, names, shuffled)).reshape(len(names), *before.shape)
        moved += [float(np.abs(each - before).mean()) for each in answers]
    total = sum(moved)
    return tuple(value / total for value in moved) if total > 0 and np.isfinite(total) else None


def _copies(rows: pd.DataFrame, names: Sequence[str], shuffled: np.ndarray) -> pd.DataFrame:
    """Return the rows once for every name, that column in another order."""
    order = np.tile(np.arange(len(rows)), (len(names), 1))
    columns = {}
    for place, name in enumerate(names):
        own = order.copy()
        own[place] = shuffled
        columns[name] = rows[name].array.take(own.ravel())
    return rows.iloc[order.ravel()].reset_index(drop=True).assign(**columns)


def _answers(model: Any, task: Task, frame: pd.DataFrame) -> np.ndarray:
    """Return what the model says: numbers, or probabilities of shape (n, n_classes)."""
    scores = scores_of(model, task, frame, np.zeros(len(frame)))
    return scores.predicted if scores.proba is None else scores.proba
