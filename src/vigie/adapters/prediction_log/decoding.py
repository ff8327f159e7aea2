"""Rows of a typed table to Arrow. Only what reads the log imports this."""

from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vigie.adapters.sqlite.cells import Cells
from vigie.domain.schema import Kind, Schema
from vigie.ports import LoggedRows

ARROW_TYPES: Final = {
    Kind.INTEGER: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.CATEGORY: pa.string(),
}
RECORDS: Final = pa.schema(
    [
        ("id", pa.string()),
        ("at", pa.timestamp("us", tz="UTC")),
        ("version", pa.string()),
        ("entity", pa.string()),
        ("latency_us", pa.int64()),
        ("value", pa.float64()),
        ("label", pa.string()),
        ("probabilities", pa.list_(pa.float64())),
        ("outcome", pa.string()),
        ("observed_at", pa.timestamp("us", tz="UTC")),
        ("received_at", pa.timestamp("us", tz="UTC")),
    ]
)
ID_BYTES: Final = 16
_LISTS: Final = pa.list_(pa.float64())
_HEX: Final = np.frombuffer("".join(f"{value:02x}" for value in range(256)).encode(), np.uint16)
_DASHES: Final = (8, 12, 16, 20)  # before these digits of a UUID
_probabilities = msgspec.json.Decoder(list[list[float | None] | None])


def decode(schema: Schema, cells: Cells) -> LoggedRows:
    """Return rows of the read statement as typed tables."""
    features = {
        feature.name: _feature_array(feature.kind, cells, place)
        for place, feature in enumerate(schema.features, len(RECORDS))
    }
    return LoggedRows(pa.table(features, schema=_features_schema(schema)), decode_records(cells))


def decode_records(cells: Cells) -> pa.Table:
    """Return rows of the read statement, without its features, as a typed table."""
    arrays = {field.name: _record_array(field, cells, place) for place, field in enumerate(RECORDS)}
    return pa.table(arrays, schema=RECORDS)


def no_rows(schema: Schema) -> LoggedRows:
    """Return empty tables of the right types."""
    return LoggedRows(_features_schema(schema).empty_table(), RECORDS.empty_table())


def _features_schema(schema: Schema) -> pa.Schema:
    return pa.schema([(feature.name, ARROW_TYPES[feature.kind]) for feature in schema.features])


def _record_array(field: pa.Field, cells: Cells, place: int) -> Any:
    if field.name == "id":
        return _dashed(cells.blobs(place, ID_BYTES))
    if field.name == "probabilities":
        return _numbers(cells.texts(place))
    if pa.types.is_string(field.type):
        return cells.texts(place)
    if pa.types.is_floating(field.type):
        return cells.reals(place)
    return cells.integers(place).cast(field.type)


def _feature_array(kind: Kind, cells: Cells, place: int) -> Any:
    if kind is Kind.CATEGORY:
        return cells.texts(place)
    if kind is Kind.NUMBER:
        return cells.reals(place)
    return cells.integers(place).cast(ARROW_TYPES[kind])


def _dashed(raw: np.ndarray) -> pa.Array:
    """Return ids, shape (n, 16), as UUIDs are written, all at once: one by one they took a quarter of a whole read."""
    n = len(raw)
    text = np.insert(_HEX[raw].view(np.uint8), _DASHES, ord("-"), axis=1)
    offsets = np.arange(n + 1, dtype=np.int32) * 36
    return pa.StringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(text))


def _numbers(texts: pa.Array) -> Any:
    """Return JSON lists of numbers as lists; the quick way knows neither an empty list nor null in one."""
    try:
        return pc.split_pattern(pc.utf8_trim(texts, "[]"), ",").cast(_LISTS)
    except pa.ArrowInvalid:
        joined = ",".join("null" if text is None else text for text in texts.to_pylist())
        return pa.array(_probabilities.decode(f"[{joined}]"), _LISTS)
