"""Rows of a typed table to Arrow. Only what reads the log imports this."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import pyarrow as pa

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
_probabilities = msgspec.json.Decoder(list[list[float | None] | None])


def decode(schema: Schema, rows: Sequence[tuple[Any, ...]]) -> LoggedRows:
    """Return rows of the read statement as typed tables; no rows give empty tables of the right types."""
    fixed = len(RECORDS)
    columns = list(zip(*rows, strict=True)) if rows else [()] * (fixed + len(schema.features))
    records = dict(zip(RECORDS.names, columns[:fixed], strict=True))
    records["id"] = tuple(_dashed(value.hex()) for value in records["id"])
    texts = ",".join("null" if text is None else text for text in records["probabilities"])
    arrays = {**records, "probabilities": _probabilities.decode(f"[{texts}]")}
    features = {
        feature.name: _feature_array(feature.kind, values)
        for feature, values in zip(schema.features, columns[fixed:], strict=True)
    }
    types = pa.schema([(feature.name, ARROW_TYPES[feature.kind]) for feature in schema.features])
    return LoggedRows(pa.table(features, schema=types), pa.table(arrays, schema=RECORDS))


def _dashed(digits: str) -> str:
    """Return an id's 32 hex digits as a UUID is written; a UUID object per row would cost four times as much."""
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _feature_array(kind: Kind, values: Sequence[Any]) -> Any:
    if kind is Kind.BOOLEAN:
        return pa.array(values, pa.int64()).cast(pa.bool_())
    return pa.array(values, ARROW_TYPES[kind])
