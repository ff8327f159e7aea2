"""Rows of a table as a version takes them, and answers that are not logged: batch scoring and notebooks.

A table is read as training reads one, so that the table that a model was trained on is always one that it takes. Plain
rows (dictionaries) are read as the server reads them.
"""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from vigie.domain.schema import Schema, Value
from vigie.errors import DataError, nearest
from vigie.inference.payload import Rows
from vigie.inference.values import Caution, caution
from vigie.training.columns import conform
from vigie.training.roles import read_entities


def feature_columns(table: pa.Table, schema: Schema) -> pa.Table:
    """Return the features of a table under their kinds: int64, float64, bool or string, null for missing.

    Raises:
        DataError: a column is missing.
        SchemaMismatchError: values do not fit the schema.
    """
    for name in schema.names:
        if name not in table.column_names:
            raise DataError(
                f"The table has no column {name!r}, which the model needs.{nearest(name, table.column_names)}",
                remedy=f"Its columns are: {', '.join(schema.names)}.",
            )
    return pa.table({feature.name: conform(feature, table.column(feature.name)) for feature in schema.features})


def unknown_columns(table: pa.Table, schema: Schema) -> list[str]:
    """Return the columns that the model neither takes nor predicts, the entity aside."""
    known = {*schema.names, schema.target.name, schema.entity}
    return [name for name in table.column_names if name not in known]


def table_rows(table: pa.Table, schema: Schema) -> Rows:
    """Return the rows of a table with what to be careful about; columns that the model does not take are left aside.

    Raises:
        DataError: a column is missing.
        SchemaMismatchError: values do not fit the schema.
    """
    features = feature_columns(table, schema)
    columns: dict[str, list[Value]] = {name: features.column(name).to_pylist() for name in schema.names}
    entities: list[Any] = [None] * table.num_rows
    if schema.entity in table.column_names:
        entities = read_entities(table.column(schema.entity)).tolist()
    values = list(zip(*columns.values(), strict=True))
    return Rows(values, entities, _cautions(columns, schema, table.num_rows), single=False)


def _cautions(columns: dict[str, list[Value]], schema: Schema, n_rows: int) -> list[tuple[Caution, ...]]:
    found: list[tuple[Caution, ...]] = [()] * n_rows
    for feature in schema.features:
        seen = frozenset(feature.categories)
        for row, value in enumerate(columns[feature.name]):
            careful = caution(feature, value, seen)
            if careful is not None:
                found[row] = (*found[row], careful)
    return found


def told_cautions(warnings: Sequence[tuple[Caution, ...]]) -> list[str]:
    """Return one sentence for each kind of caution, the commonest first."""
    counts: dict[Caution, int] = {}
    for row in warnings:
        for careful in row:
            counts[careful] = counts.get(careful, 0) + 1
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return [f"{n:,} of {len(warnings):,} rows: {careful.detail}." for careful, n in ordered]
