"""A table read as a version would have met it: features by its schema, outcomes by its own classes.

Training reads a table to learn from it, and refuses what cannot be learnt from: one class, twenty rows. Judging a model
on a table is another question: a month with five rows or without one of the classes is a month like another, and an
index of a class is that of the model, not that of the table.
"""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from vigie.domain.frame import model_frame
from vigie.domain.schema import Schema
from vigie.errors import DataError, nearest
from vigie.loop.tabular import feature_columns
from vigie.training.columns import plain
from vigie.training.target import beyond_measure, unmeasurable


def read_judged(table: pa.Table, schema: Schema) -> tuple[pd.DataFrame, np.ndarray]:
    """Return what a model is asked with and what came true; rows without an outcome are left out.

    Returns:
        The frame, shape (n, n_features), and outcomes, shape (n,): float64 for regression, int64 indices of
        ``schema.target.classes`` otherwise.

    Raises:
        DataError: a column is missing, an outcome is no number, one beyond measure, or no class of the model.
        SchemaMismatchError: values do not fit the schema.
    """
    if schema.target.name not in table.column_names:
        raise DataError(
            f"The table has no column {schema.target.name!r}, which the model predicts."
            f"{nearest(schema.target.name, table.column_names)}",
            remedy="Judge a table whose outcomes are known.",
        )
    frame, y, _ = read_traffic(table.filter(plain(table.column(schema.target.name)).is_valid()), schema)
    return frame, y


def read_traffic(table: pa.Table, schema: Schema) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Return what a model is asked with, what came true, and of which rows that is known.

    Returns:
        The frame of all rows, shape (n, n_features); outcomes as ``read_judged`` gives them, 0 where there is none,
        shape (n,); which are known, bool, shape (n,). Without a column of outcomes none is.

    Raises:
        DataError: a column is missing, an outcome is no number, one beyond measure, or no class of the model.
        SchemaMismatchError: values do not fit the schema.
    """
    frame, name = model_frame(schema, feature_columns(table, schema).to_pydict()), schema.target.name
    y, known = np.zeros(len(frame)), np.zeros(len(frame), dtype=bool)
    if name in table.column_names:
        outcomes = plain(table.column(name))
        known = np.asarray(outcomes.is_valid())
        of_known = _outcomes(outcomes.drop_null(), schema)
        y = y.astype(of_known.dtype)
        y[known] = of_known
    return frame, y, known


def _outcomes(values: pa.ChunkedArray, schema: Schema) -> np.ndarray:
    target = schema.target
    if not target.task.is_classification:
        try:
            numbers = pc.cast(values, pa.float64(), safe=False)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as exc:
            raise DataError(
                f"Target {target.name!r} holds {values.type} values, and the model predicts numbers.",
                remedy="Convert the column.",
            ) from exc
        if n := len(beyond_measure(numbers)):
            raise unmeasurable(target.name, n)
        return np.asarray(numbers.to_pylist(), dtype=np.float64)
    index = {label: place for place, label in enumerate(target.classes)}
    found = values.to_pylist()
    strange = sorted({repr(label) for label in found if label not in index})
    if strange:
        raise DataError(
            f"Target {target.name!r} holds {', '.join(strange[:3])}, which the model does not know; "
            f"its classes are {', '.join(map(repr, target.classes))}.",
            remedy="Judge a table with these classes, or train anew.",
        )
    return np.asarray([index[label] for label in found], dtype=np.int64)
