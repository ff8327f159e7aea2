"""A window reduced to counts on the profile's grid; counts of several windows add up to those of their union."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from vigie.monitoring.columns import Column, ColumnCounts, NumericColumn
from vigie.monitoring.grid import LevelCounts, NumberCounts
from vigie.monitoring.profile import ReferenceProfile, class_labels


@dataclass(frozen=True, slots=True, eq=False)
class WindowCounts:
    """All that drift needs of a window.

    Attributes:
        n: rows.
        features: one count per column of the profile, in its order.
        prediction: the same for the prediction.
    """

    n: int
    features: tuple[ColumnCounts, ...]
    prediction: ColumnCounts

    def __add__(self, other: "WindowCounts") -> "WindowCounts":
        """Return the counts of both windows together; both must be on the grid of the same profile."""
        return WindowCounts(
            n=self.n + other.n,
            features=tuple(_merged(mine, its) for mine, its in zip(self.features, other.features, strict=True)),
            prediction=_merged(self.prediction, other.prediction),
        )


def count_window(profile: ReferenceProfile, table: pd.DataFrame | pa.Table, predicted: np.ndarray) -> WindowCounts:
    """Reduce a window in one pass.

    Args:
        profile: whose grid is used.
        table: the window's rows, n of them, none included: a frame from ``domain.frame.model_frame``, or an Arrow table
            as the log gives it (numbers of any type, text, null for missing), which is counted as it stands.
        predicted: what the model said of them, float64, shape (n,), in the terms of ``build_profile``.

    Raises:
        KeyError: a feature of the profile is absent from the table.
        ValueError: the table and the predictions have different lengths.
    """
    if len(table) != len(predicted):
        raise ValueError(f"{len(table)} rows cannot have {len(predicted)} predictions")
    return WindowCounts(
        n=len(table),
        features=tuple(_count(column, table[column.name]) for column in profile.features),
        prediction=_count_predictions(profile, np.asarray(predicted, dtype=np.float64)),
    )


def _count(column: Column, values: pd.Series | pa.ChunkedArray) -> ColumnCounts:
    if isinstance(column, NumericColumn):
        return column.count(_numbers(values))
    return column.count(values.to_numpy(dtype=object) if isinstance(values, pd.Series) else values)


def _numbers(values: pd.Series | pa.ChunkedArray) -> np.ndarray:
    if isinstance(values, pd.Series):
        return values.to_numpy(dtype=np.float64)
    doubles = values if values.type == pa.float64() else pc.cast(values, pa.float64(), safe=False)
    numbers: np.ndarray = doubles.to_numpy()  # null becomes NaN
    return numbers


def _count_predictions(profile: ReferenceProfile, predicted: np.ndarray) -> ColumnCounts:
    """Count numbers as they are, and class indices by their labels: two classes may share one."""
    column = profile.prediction
    if isinstance(column, NumericColumn):
        return column.count(predicted)
    return column.count(class_labels(predicted, profile.classes))


def _merged(mine: ColumnCounts, its: ColumnCounts) -> ColumnCounts:
    if isinstance(mine, NumberCounts) and isinstance(its, NumberCounts):
        return mine + its
    if isinstance(mine, LevelCounts) and isinstance(its, LevelCounts):
        return mine + its
    raise TypeError("a numeric and a categorical column do not add up")
