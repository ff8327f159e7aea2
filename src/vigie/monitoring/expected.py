"""What both estimators work on and answer: predictions without outcomes, and metrics that are expected of them."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What a model said of rows whose outcome nobody knows.

    Attributes:
        predicted: shape (n,), the number for regression, the class index otherwise.
        proba: shape (n, n_classes), None for regression.
    """

    predicted: np.ndarray
    proba: np.ndarray | None = None

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.predicted)


@dataclass(frozen=True, slots=True)
class Expected:
    """A metric as it is expected to be, before any outcome is known.

    Attributes:
        name: of the metric, or ``value``.
        unit: of the metric.
        value: expected, NaN where the metric is not defined.
        error: standard deviation of what will be realised around ``value``, if the reference still tells how answers
            and outcomes go together: by the chance of these rows' outcomes, and by the finite size of the reference.
    """

    name: str
    unit: str
    value: float
    error: float
