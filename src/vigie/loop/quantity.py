"""What is watched of a prediction, in one number."""

import numpy as np

from vigie.domain.task import Task
from vigie.evaluation.metrics import Scores


def predicted_quantity(scores: Scores, task: Task) -> np.ndarray:
    """Return what is watched of a prediction: the number, P(positive), or the class index. Shape (n,)."""
    if task is Task.BINARY and scores.proba is not None:
        positive: np.ndarray = scores.proba[:, -1]
        return positive
    return scores.predicted.astype(np.float64)


def quantity_limits(task: Task) -> tuple[float, float] | None:
    """Return what it cannot be below or above; None where there is nothing of the kind."""
    return (0.0, 1.0) if task is Task.BINARY else None
