"""Arrow IPC streams in and out of ``/predict``, for rows by the thousand.

Imported when the first such body comes. A body is data from anywhere: compressed buffers and types whose values could
be larger than the body are refused before anything is read, and every batch is checked in full before it is used.
"""

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from vigie.api.answering import Served
from vigie.api.errors import Meaning, RequestError, mismatch
from vigie.api.protocols.arrow_messages import row_counts
from vigie.domain.schema import Schema
from vigie.domain.task import Task
from vigie.errors import SchemaMismatchError
from vigie.inference.decoding import RowDecoder
from vigie.inference.payload import Rows, check_count, pointer, read_rows
from vigie.inference.values import MAX_TEXT_BYTES
from vigie.loop.predict import Scored

MALFORMED_ARROW = Meaning(400, "malformed-arrow", "The body is not an Arrow IPC stream")
UNSUPPORTED_ARROW = Meaning(422, "unsupported-arrow-type", "A column has a type that is not read")

WARNING = pa.struct([("code", pa.string()), ("feature", pa.string()), ("detail", pa.string())])


def read_stream(body: bytes, schema: Schema, decoder: RowDecoder, *, max_rows: int) -> Rows:
    """Return the rows of a stream: one column a feature, in any order; null and NaN are missing.

    Raises:
        RequestError: the body is no stream of plain columns, or its rows do not fit the schema.
    """
    try:
        n_rows = sum(row_counts(body))
        table = _table(body) if n_rows <= max_rows else None
    except (pa.ArrowException, ValueError, OSError) as exc:
        raise RequestError(MALFORMED_ARROW, "Send an uncompressed Arrow IPC stream.") from exc
    try:
        check_count(n_rows, max_items=max_rows, what="row")
        columns = {} if table is None else {name: _values(table[name], name) for name in table.column_names}
        rows = decoder.from_columns(columns)
        return rows if rows is not None else read_rows(_records(columns), schema, max_rows=max_rows)
    except SchemaMismatchError as exc:
        raise mismatch(exc, lambda violation: pointer(violation, single=False)) from exc


def write_stream(served: Served, scored: Scored, ids: Sequence[str]) -> bytes:
    """Write answers as a stream; the model's name and version are in the schema's metadata."""
    target = served.schema.target
    columns = {"prediction_id": pa.array(ids), "prediction": pa.array([said.value for said in scored.predictions])}
    if target.task is Task.BINARY:
        columns["probability"] = pa.array([said.probabilities[-1] for said in scored.predictions])
    elif target.task is Task.MULTICLASS:
        columns["probabilities"] = pa.array([said.probabilities for said in scored.predictions])
    columns["warnings"] = pa.array(
        [
            [{"code": note.code, "feature": note.feature, "detail": note.detail} for note in notes] if notes else ()
            for notes in scored.rows.warnings
        ],
        pa.list_(WARNING),
    )
    table = pa.table(columns, metadata={"model": served.model.name, "version": served.model.version})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _table(body: bytes) -> pa.Table:
    with pa.ipc.open_stream(body) as stream:
        batches = list(stream)
        for batch in batches:
            batch.validate(full=True)
        table = pa.Table.from_batches(batches, stream.schema)
    if len(set(table.column_names)) < len(table.column_names):
        raise ValueError("a column twice")
    return table


def _values(column: Any, name: str) -> list[Any]:
    """Return a column as plain values, None where one is missing."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        if any(len(text or "") > MAX_TEXT_BYTES for chunk in column.chunks for text in _texts(chunk.dictionary, name)):
            raise _unsupported(name)
        kind = kind.value_type
    if pa.types.is_floating(kind):
        column = column.cast(pa.float64())
        column = pc.if_else(pc.is_nan(column), None, column)
    elif not any(fits(kind) for fits in _PLAIN):
        raise _unsupported(name)
    values: list[Any] = column.to_pylist()
    return values


def _texts(dictionary: Any, name: str) -> list[str | None]:
    if not (pa.types.is_string(dictionary.type) or pa.types.is_large_string(dictionary.type)):
        raise _unsupported(name)
    texts: list[str | None] = dictionary.to_pylist()
    return texts


def _unsupported(name: str) -> RequestError:
    return RequestError(UNSUPPORTED_ARROW, f"Send {name[:80]!r} as a number, a boolean or a (dictionary of) string.")


def _records(columns: dict[str, list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


_PLAIN: tuple[Callable[[Any], bool], ...] = (
    pa.types.is_integer,
    pa.types.is_boolean,
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_null,
)
