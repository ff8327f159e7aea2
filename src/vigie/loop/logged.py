"""Rows of the prediction log as the stages take them: a frame, predicted quantities, outcomes, and a table again."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from vigie.domain.frame import model_frame
from vigie.domain.schema import Label, Schema
from vigie.domain.task import Task
from vigie.evaluation.metrics import Scores
from vigie.monitoring.expected import Answers
from vigie.ports import LoggedRows


def frame_of(rows: LoggedRows, schema: Schema) -> pd.DataFrame:
    """Return the logged features as a model takes them, shape (n, n_features)."""
    return model_frame(schema, {name: rows.features.column(name).to_pylist() for name in schema.names})


def predicted_of(rows: LoggedRows, schema: Schema) -> np.ndarray:
    """Return the logged number, P(positive) or class index, float64, shape (n,)."""
    task = schema.target.task
    if task is Task.REGRESSION:
        return np.asarray(rows.records.column("value").to_pylist(), dtype=np.float64)
    if task is Task.BINARY:
        return _probabilities(rows.records, schema)[:, -1]
    return _class_index(rows.records.column("label").to_pylist(), schema)


def answers_in(rows: LoggedRows, schema: Schema) -> Answers:
    """Return what was answered, in full, shape (n,) and (n, n_classes)."""
    if not schema.target.task.is_classification:
        return Answers(np.asarray(rows.records.column("value").to_pylist(), dtype=np.float64))
    index = _class_index(rows.records.column("label").to_pylist(), schema)
    return Answers(index.astype(np.int64), _probabilities(rows.records, schema))


def labelled_part(rows: LoggedRows, schema: Schema) -> LoggedRows:
    """Return the rows whose outcome is known."""
    known = _is_labelled(rows, schema)
    return LoggedRows(rows.features.filter(known), rows.records.filter(known))


def labelled_of(rows: LoggedRows, schema: Schema) -> tuple[Scores, np.ndarray]:
    """Return outcomes beside predictions for the rows that have one, and how late they came.

    Returns:
        Scores of the n labelled rows, and seconds from prediction to the arrival of its outcome, shape (n,).
    """
    known = rows.records.filter(_is_labelled(rows, schema))
    received = known.column("received_at").cast(pa.int64()).to_numpy()
    delays_s = (received - known.column("at").cast(pa.int64()).to_numpy()) / 1e6
    outcomes = known.column("outcome").to_pylist()
    if not schema.target.task.is_classification:
        y = np.asarray([float(json.loads(outcome)) for outcome in outcomes], dtype=np.float64)
        return Scores(y, np.asarray(known.column("value").to_pylist(), dtype=np.float64)), delays_s
    predicted = _class_index(known.column("label").to_pylist(), schema).astype(np.int64)
    y_index = _class_index(outcomes, schema).astype(np.int64)
    return Scores(y_index, predicted, _probabilities(known, schema)), delays_s


def latency_of(rows: LoggedRows) -> np.ndarray:
    """Return microseconds per request, float64, shape (n_requests,), NaN where not taken.

    The rows of a batch are dated and timed as one: counted each, one slow array would outweigh a hundred requests.
    """
    _, first = np.unique(rows.records.column("at").cast(pa.int64()).to_numpy(), return_index=True)
    return np.asarray(rows.records.column("latency_us").to_pylist(), dtype=np.float64)[first]


def labelled_table(rows: LoggedRows, schema: Schema) -> pa.Table:
    """Return the labelled rows as a training table: features, target and, where the schema has one, the entity."""
    known = _is_labelled(rows, schema)
    records, table = rows.records.filter(known), rows.features.filter(known)
    outcomes = [json.loads(outcome) for outcome in records.column("outcome").to_pylist()]
    table = table.append_column(schema.target.name, pa.array(outcomes))
    if schema.entity:
        table = table.append_column(schema.entity, records.column("entity"))
    return table


def _is_labelled(rows: LoggedRows, schema: Schema) -> pa.ChunkedArray:
    """Whether an outcome is known that this version could have answered.

    Feedback is checked against the model that serves when it arrives; the prediction may be of an older version, with
    fewer classes. Such a row is left aside rather than let it stop the loop.
    """
    outcomes = rows.records.column("outcome")
    if not schema.target.task.is_classification:
        return outcomes.is_valid()
    return pc.is_in(outcomes, value_set=pa.array([_text(label) for label in schema.target.classes], pa.string()))


def _probabilities(records: pa.Table, schema: Schema) -> np.ndarray:
    flat = records.column("probabilities").combine_chunks().flatten().to_numpy()
    probabilities: np.ndarray = flat.reshape(records.num_rows, len(schema.target.classes))
    return probabilities


def _class_index(texts: list[str], schema: Schema) -> np.ndarray:
    """Labels are logged as JSON, so that 1, "1" and true stay apart."""
    index: dict[str, int] = {_text(label): place for place, label in enumerate(schema.target.classes)}
    return np.asarray([index[text] for text in texts], dtype=np.float64)


def _text(label: Label) -> Any:
    return json.dumps(label, ensure_ascii=False)
