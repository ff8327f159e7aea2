"""Answer the rows of a table in chunks, without logging: batch scoring."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from vigie.domain.prediction import Prediction
from vigie.domain.schema import Schema
from vigie.domain.task import Task
from vigie.inference.slots import ServingModel
from vigie.inference.values import Caution
from vigie.loop.tabular import feature_columns, table_rows

CHUNK = 10_000
"""Rows that are held as Python values at a time."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A chunk of answers, beside what the rows are about, and what to be careful about, per row."""

    answers: pa.Table
    warnings: list[tuple[Caution, ...]]


def score(model: ServingModel, table: pa.Table, *, chunk: int = CHUNK) -> Iterator[Scored]:
    """Yield the answers to a table's rows, in order, ``chunk`` rows at a time.

    Args:
        model: an opened version.
        table: its features, and the entity if there is one; other columns are left aside.
        chunk: rows at a time.

    Returns:
        Tables with the entity (or ``row``, counted from 1), ``prediction``, and for classes ``probability`` (binary, of
        the positive class) or one ``probability_LABEL`` a class.

    Raises:
        SchemaMismatchError: values do not fit the schema; nothing is answered.
        DataError: a column is missing, or the model cannot take a row.
    """
    schema = model.schema
    read = feature_columns(table, schema)  # the whole table first: a fault is found before anything is written
    if schema.entity in table.column_names:
        read = read.append_column(schema.entity, table.column(schema.entity))
    for start in range(0, table.num_rows, chunk):
        part = read.slice(start, chunk)
        rows = table_rows(part, schema)
        predictions = model.scorer.score_rows(rows.values)
        if schema.entity in part.column_names:
            about = (schema.entity, part.column(schema.entity))
        else:
            about = ("row", pa.array(range(start + 1, start + 1 + part.num_rows), pa.int64()))
        yield Scored(pa.table(dict([about, *_columns(predictions, schema).items()])), list(rows.warnings))


def _columns(predictions: list[Prediction], schema: Schema) -> dict[str, pa.Array]:
    found = {"prediction": pa.array([prediction.value for prediction in predictions])}
    if schema.target.task is Task.BINARY:
        found["probability"] = pa.array([prediction.probabilities[-1] for prediction in predictions], pa.float64())
    elif schema.target.task is Task.MULTICLASS:
        for place, label in enumerate(schema.target.classes):
            values = [prediction.probabilities[place] for prediction in predictions]
            found[f"probability_{label}"] = pa.array(values, pa.float64())
    return found
