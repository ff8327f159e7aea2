"""What a linear model multiplies each column with, by the column's name."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.pipeline import Pipeline

from vigie.domain.schema import Schema
from vigie.training.preprocessing import column_names


@dataclass(frozen=True, slots=True)
class Coefficients:
    """A line for one output: the target, the log-odds of the positive class, or the score of one of several classes.

    Attributes:
        values: by column, as the estimator sees it: numbers in standard deviations of the training rows, a category's
            level as ``name=level``.
        intercept: of the output, where every column is zero: all numbers at their mean.
    """

    values: Mapping[str, float]
    intercept: float

    @property
    def n_zero(self) -> int:
        """Columns that do not count."""
        return sum(value == 0 for value in self.values.values())

    @property
    def sparsity(self) -> float:
        """Share of columns that do not count."""
        return self.n_zero / len(self.values)


def coefficients_of(model: Pipeline, schema: Schema) -> tuple[Coefficients, ...] | None:
    """Return one line an output, in the order of the classes where there are several; None without coefficients.

    Args:
        model: fitted by ``search``, so that its last step sees the columns that ``column_names`` names.
        schema: the features.
    """
    estimator = model.named_steps["model"]
    weights = getattr(estimator, "coef_", None)
    if weights is None:
        return None
    names = column_names(model, schema)
    rows = np.atleast_2d(np.asarray(weights, dtype=np.float64))
    if rows.shape[1] != len(names):  # a kernel's dual coefficients, or a projection: not about our columns
        return None
    intercepts = np.broadcast_to(np.asarray(estimator.intercept_, dtype=np.float64), len(rows))
    return tuple(
        Coefficients(dict(zip(names, row.tolist(), strict=True)), float(intercept))
        for row, intercept in zip(rows, intercepts, strict=True)
    )
