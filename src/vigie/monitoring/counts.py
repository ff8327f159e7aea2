"""A window reduced to counts on the profile's grid; counts of several windows add up to those of their union."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

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


def count_window(profile: ReferenceProfile, frame: pd.DataFrame, predicted: np.ndarray) -> WindowCounts:
    """Reduce a window in one pass.

    Args:
        profile: whose grid is used.
        frame: the window's rows from ``domain.frame.model_frame``, shape (n, n_features); n may be 0.
        predicted: what the model said of them, float64, shape (n,), in the terms of ``build_profile``.

    Raises:
        KeyError: a feature of the profile is absent from the frame.
        ValueError: the frame and the predictions have different lengths.
    """
    if len(frame) != len(predicted):
        raise ValueError(f"{len(frame)} rows cannot have {len(predicted)} predictions")
    said = class_labels(predicted, profile.classes) if profile.classes else np.asarray(predicted, dtype=np.float64)
    return WindowCounts(
        n=len(frame),
        features=tuple(column.count(_values(column, frame[column.name])) for column in profile.features),
        prediction=profile.prediction.count(said),
    )


def _values(column: Column, series: pd.Series) -> np.ndarray:
    return series.to_numpy(dtype=np.float64 if isinstance(column, NumericColumn) else object)


def _merged(mine: ColumnCounts, its: ColumnCounts) -> ColumnCounts:
    if isinstance(mine, NumberCounts) and isinstance(its, NumberCounts):
        return mine + its
    if isinstance(mine, LevelCounts) and isinstance(its, LevelCounts):
        return mine + its
    raise TypeError("a numeric and a categorical column do not add up")
