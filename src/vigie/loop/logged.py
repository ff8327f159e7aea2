"""Rows of the prediction log as the stages take them: a frame, predicted quantities, outcomes, and a table again."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from vigie.domain.frame import model_frame
from vigie.domain.schema import LARGEST_OUTCOME, Label, Schema
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
        return _doubles(rows.records.column("value"))
    if task is Task.BINARY:
        return _probabilities(rows.records, schema)[:, -1]
    return _class_index(rows.records.column("label"), schema)


def answers_in(records: pa.Table, schema: Schema) -> Answers:
    """Return what was answered, in full, shape (n,) and (n, n_classes)."""
    if not schema.target.task.is_classification:
        return Answers(_doubles(records.column("value")))
    return Answers(_class_index(records.column("label"), schema).astype(np.int64), _probabilities(records, schema))


def labelled_part(rows: LoggedRows, schema: Schema) -> LoggedRows:
    """Return the rows whose outcome is known."""
    known = _is_labelled(rows.records, schema)
    return LoggedRows(rows.features.filter(known), rows.records.filter(known))


def labelled_of(rows: LoggedRows, schema: Schema) -> tuple[Scores, np.ndarray]:
    """Return outcomes beside predictions for the rows that have one, and how late they came.

    Returns:
        Scores of the n labelled rows, and seconds from prediction to the arrival of its outcome, shape (n,).
    """
    known = rows.records.filter(_is_labelled(rows.records, schema))
    received = known.column("received_at").cast(pa.int64()).to_numpy()
    delays_s = (received - known.column("at").cast(pa.int64()).to_numpy()) / 1e6
    if not schema.target.task.is_classification:
        outcomes = known.column("outcome").to_pylist()
        y = np.asarray([float(json.loads(outcome)) for outcome in outcomes], dtype=np.float64)
        return Scores(y, _doubles(known.column("value"))), delays_s
    predicted = _class_index(known.column("label"), schema).astype(np.int64)
    y_index = _class_index(known.column("outcome"), schema).astype(np.int64)
    return Scores(y_index, predicted, _probabilities(known, schema)), delays_s


def n_labelled(records: pa.Table, schema: Schema) -> int:
    """Return how many of the records have an outcome that ``labelled_of`` would return."""
    return int(labelled_mask(records, schema).sum())


def labelled_mask(records: pa.Table, schema: Schema) -> np.ndarray:
    """Return which of the records have an outcome that ``labelled_of`` would return, bool, shape (n,)."""
    return np.asarray(_is_labelled(records, schema).fill_null(fill_value=False), dtype=bool)


def n_too_large(records: pa.Table, schema: Schema) -> int:
    """Return how many outcomes of a regression are left aside: a log may hold them from before they were refused."""
    if schema.target.task.is_classification:
        return 0
    return int(pc.count(records.column("outcome")).as_py()) - n_labelled(records, schema)


def latency_of(records: pa.Table) -> np.ndarray:
    """Return microseconds per request, float64, shape (n_requests,), NaN where not taken.

    The rows of a batch are dated and timed as one: counted each, one slow array would outweigh a hundred requests.
    """
    _, first = np.unique(records.column("at").cast(pa.int64()).to_numpy(), return_index=True)
    return _doubles(records.column("latency_us"))[first]


def labelled_table(rows: LoggedRows, schema: Schema) -> pa.Table:
    """Return the labelled rows as a training table: features, target and, where the schema has one, the entity."""
    known = _is_labelled(rows.records, schema)
    records, table = rows.records.filter(known), rows.features.filter(known)
    outcomes = [json.loads(outcome) for outcome in records.column("outcome").to_pylist()]
    table = table.append_column(schema.target.name, pa.array(outcomes))
    if schema.entity:
        table = table.append_column(schema.entity, records.column("entity"))
    return table


def _is_labelled(records: pa.Table, schema: Schema) -> pa.ChunkedArray:
    """Whether an outcome is known that this version could have answered.

    Feedback is checked against the model that serves when it arrives; the prediction may be of an older version, with
    fewer classes. Such a row is left aside rather than let it stop the loop; so is a number too large to be measured.
    """
    outcomes = records.column("outcome")
    if not schema.target.task.is_classification:
        return pc.less_equal(pc.abs(pc.cast(outcomes, pa.float64())), LARGEST_OUTCOME)
    return pc.is_in(outcomes, value_set=pa.array([_text(label) for label in schema.target.classes], pa.string()))


def _probabilities(records: pa.Table, schema: Schema) -> np.ndarray:
    flat = records.column("probabilities").combine_chunks().flatten().to_numpy()
    probabilities: np.ndarray = flat.reshape(records.num_rows, len(schema.target.classes))
    return probabilities


def _class_index(texts: pa.ChunkedArray, schema: Schema) -> np.ndarray:
    """Labels are logged as JSON, so that 1, "1" and true stay apart."""
    classes = pa.array([_text(label) for label in schema.target.classes], pa.string())
    found = pc.index_in(texts, value_set=classes)
    if found.null_count:
        stranger = texts.filter(found.is_null())[0].as_py()
        raise KeyError(f"{stranger} is none of the classes {classes.to_pylist()}")
    return _doubles(found)


def _doubles(values: pa.ChunkedArray) -> np.ndarray:
    """Return numbers as float64, NaN where null."""
    numbers: np.ndarray = pc.cast(values, pa.float64(), safe=False).to_numpy()
    return numbers


def _text(label: Label) -> Any:
    return json.dumps(label, ensure_ascii=False)
