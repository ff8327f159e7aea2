"""Columns under a schema, as the one frame that every model of Vigie is fitted on and asked with.

Training and serving both build their frame here, so that a model never sees other types than the ones it learnt from:
numbers, integers and booleans are float64 with NaN for missing; categories are object columns of str with NaN for
missing (None would be taken for a level by scikit-learn's encoders).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from vigie.domain.schema import Feature, Schema


def column_array(feature: Feature, values: Sequence[Any] | np.ndarray) -> np.ndarray:
    """Return one column as the model takes it.

    Args:
        feature: what the column is.
        values: shape (n_rows,), None or NaN for missing.

    Returns:
        float64 for numeric kinds, object of str for categories; NaN for missing in both.
    """
    if feature.kind.is_numeric:
        if isinstance(values, np.ndarray) and values.dtype.kind in "fiub":
            return values.astype(np.float64)
        return np.asarray([np.nan if value is None else value for value in values], dtype=np.float64)
    column = np.empty(len(values), dtype=object)
    column[:] = [np.nan if value is None or value != value else str(value) for value in values]  # noqa: PLR0124
    return column


def model_frame(schema: Schema, columns: Mapping[str, Sequence[Any] | np.ndarray]) -> pd.DataFrame:
    """Return the frame a model is fitted on and asked with: the schema's features, in its order.

    Args:
        schema: names, kinds and order.
        columns: one sequence of equal length per feature; other keys are left aside.

    Raises:
        KeyError: a feature is absent.
    """
    return pd.DataFrame({feature.name: column_array(feature, columns[feature.name]) for feature in schema.features})
