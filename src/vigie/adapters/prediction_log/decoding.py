"""Rows of a typed table to Arrow. Only what reads the log imports this."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

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
_LISTS: Final = pa.list_(pa.float64())
_HEX: Final = np.frombuffer("".join(f"{value:02x}" for value in range(256)).encode(), np.uint8).reshape(256, 2)
_DIGIT_PLACES: Final = np.array([place for place in range(36) if place not in {8, 13, 18, 23}])
_probabilities = msgspec.json.Decoder(list[list[float | None] | None])


def decode(schema: Schema, rows: Sequence[tuple[Any, ...]]) -> LoggedRows:
    """Return rows of the read statement as typed tables; no rows give empty tables of the right types."""
    fixed = len(RECORDS)
    columns = list(zip(*rows, strict=True)) if rows else [()] * (fixed + len(schema.features))
    features = {
        feature.name: _feature_array(feature.kind, values)
        for feature, values in zip(schema.features, columns[fixed:], strict=True)
    }
    types = pa.schema([(feature.name, ARROW_TYPES[feature.kind]) for feature in schema.features])
    return LoggedRows(pa.table(features, schema=types), _records(columns[:fixed]))


def decode_records(rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    """Return rows of the read statement without features as a typed table."""
    return _records(list(zip(*rows, strict=True)) if rows else [()] * len(RECORDS))


def _records(columns: Sequence[Sequence[Any]]) -> pa.Table:
    records = dict(zip(RECORDS.names, columns, strict=True))
    arrays = {**records, "id": _dashed(records["id"]), "probabilities": _numbers(records["probabilities"])}
    return pa.table(arrays, schema=RECORDS)


def _dashed(ids: Sequence[bytes]) -> pa.Array:
    """Return ids as UUIDs are written, all at once: one by one they took a quarter of a whole read."""
    raw = np.frombuffer(b"".join(ids), np.uint8).reshape(-1, 16)
    text = np.full((len(ids), 36), ord("-"), np.uint8)
    text[:, _DIGIT_PLACES] = _HEX[raw].reshape(-1, 32)
    offsets = np.arange(len(ids) + 1, dtype=np.int32) * 36
    return pa.StringArray.from_buffers(len(ids), pa.py_buffer(offsets), pa.py_buffer(text))


def _numbers(texts: Sequence[str | None]) -> Any:
    """Return JSON lists of numbers as lists; the quick way knows neither an empty list nor null in one."""
    try:
        inner = pc.utf8_trim(pa.array(texts, pa.string()), "[]")
        return pc.split_pattern(inner, ",").cast(_LISTS)
    except pa.ArrowInvalid:
        joined = ",".join("null" if text is None else text for text in texts)
        return pa.array(_probabilities.decode(f"[{joined}]"), _LISTS)


def _feature_array(kind: Kind, values: Sequence[Any]) -> Any:
    if kind is Kind.BOOLEAN:
        return pa.array(values, pa.int64()).cast(pa.bool_())
    return pa.array(values, ARROW_TYPES[kind])
