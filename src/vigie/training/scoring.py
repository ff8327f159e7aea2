"""A fitted pipeline asked about rows whose outcome is known."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from vigie.domain.task import Task
from vigie.evaluation.metrics import Scores


def scores_of(model: Any, task: Task, frame: pd.DataFrame, y: np.ndarray) -> Scores:
    """Return outcomes beside what a model says.

    Args:
        model: fitted, with ``predict`` or ``predict_proba``; classes are the indices 0 … n_classes - 1.
        task: what it answers.
        frame: shape (n, n_features), from ``domain.frame.model_frame``.
        y: shape (n,), in the terms of ``Scores.y``.
    """
    if not task.is_classification:
        return Scores(y, np.asarray(model.predict(frame), dtype=np.float64))
    proba = np.asarray(model.predict_proba(frame), dtype=np.float64)
    return Scores(y, proba.argmax(axis=1), proba)


def joined(parts: Sequence[Scores]) -> Scores:
    """Return the rows of several scores of one task one after the other."""
    proba = [part.proba for part in parts if part.proba is not None]
    return Scores(
        np.concatenate([part.y for part in parts]),
        np.concatenate([part.predicted for part in parts]),
        np.concatenate(proba) if proba else None,
    )
