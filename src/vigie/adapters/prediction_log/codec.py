"""Records to rows of a typed table, and rows of it back to Arrow."""

import json
import operator
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
import pyarrow as pa

from vigie.adapters.sqlite.moments import microseconds
from vigie.domain.prediction import PredictionRecord
from vigie.domain.schema import Kind, Schema
from vigie.errors import SchemaMismatchError, Violation
from vigie.ports import LoggedRows

SQL_TYPES: Final = {Kind.INTEGER: "INTEGER", Kind.NUMBER: "REAL", Kind.BOOLEAN: "INTEGER", Kind.CATEGORY: "TEXT"}
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


def column_spec(schema: Schema) -> str:
    """Return what the columns of a table mean, as JSON for whoever reads the file without us."""
    columns = [
        {"column": f"f_{place}", "feature": feature.name, "kind": feature.kind.value}
        for place, feature in enumerate(schema.features)
    ]
    target = {
        "name": schema.target.name,
        "task": schema.target.task.value,
        "classes": list(schema.target.classes),
    }
    return json.dumps({"format": 1, "columns": columns, "target": target}, ensure_ascii=False)


def encode(schema: Schema, records: Sequence[PredictionRecord]) -> list[tuple[Any, ...]]:
    """Return one row per record, in the order of the insert statement.

    Raises:
        SchemaMismatchError: a value cannot be kept as the schema's kind; no row is returned.
        ValueError: an id is not a version 7 UUID, a time has no zone, or the number of features is wrong.
    """
    writers = [(feature.name, _WRITERS[feature.kind]) for feature in schema.features]
    violations: list[Violation] = []
    rows = [_encode_one(place, record, schema, writers, violations) for place, record in enumerate(records)]
    if violations:
        raise SchemaMismatchError(violations)
    return rows


def _encode_one(
    place: int,
    record: PredictionRecord,
    schema: Schema,
    writers: list[tuple[str, Callable[[Any], Any]]],
    violations: list[Violation],
) -> tuple[Any, ...]:
    if record.id.version != 7:
        raise ValueError(f"{record.id} is not a version 7 UUID; the log keeps time order by it")
    if len(record.features) != len(writers):
        raise ValueError(f"a record has {len(record.features)} features, its schema {len(writers)}")
    features = []
    for (name, write), value in zip(writers, record.features, strict=True):
        try:
            features.append(None if value is None else write(value))
        except (TypeError, ValueError, OverflowError):
            kind = schema.feature(name).kind.value
            violations.append(Violation(place, name, "unwritable", f"a storable {kind}", type(value).__name__))
    try:
        head = _encode_head(record, is_class=schema.target.task.is_classification)
    except (TypeError, ValueError, OverflowError):
        violations.append(Violation(place, "prediction", "unwritable", "a storable answer", "something else"))
        head = ()
    return (*head, *features)


def _encode_head(record: PredictionRecord, *, is_class: bool) -> tuple[Any, ...]:
    answer = record.prediction
    return (
        record.id.bytes,
        microseconds(record.at),
        _text(record.version),
        None if record.variant is None else _text(record.variant),
        None if record.entity is None else _text(record.entity),
        None if record.latency_us is None else _integer(record.latency_us),
        None if is_class else _number(answer.value),
        msgspec.json.encode(answer.value).decode() if is_class else None,
        msgspec.json.encode(answer.probabilities).decode() if is_class else None,
    )


def _integer(value: Any) -> int | None:
    if isinstance(value, float):
        if value != value:  # noqa: PLR0124  # NaN is missing
            return None
        if not value.is_integer():
            raise ValueError("a fraction")
        value = int(value)
    if isinstance(value, bool):
        raise TypeError("a boolean")
    number = operator.index(value)
    if not -(2**63) <= number < 2**63:
        raise OverflowError("more than 64 bits")
    return number


def _number(value: Any) -> float | None:
    if isinstance(value, bool | str):
        raise TypeError("not a number")
    number = float(value)
    return None if number != number else number  # noqa: PLR0124  # NaN is missing


def _boolean(value: Any) -> int | None:
    if isinstance(value, float) and value != value:  # noqa: PLR0124  # NaN is missing
        return None
    if value in {0, 1} and not isinstance(value, str):
        return int(value)
    raise TypeError("not a boolean")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    value.encode()  # a lone surrogate has no UTF-8
    return value


_WRITERS: Final[dict[Kind, Callable[[Any], Any]]] = {
    Kind.INTEGER: _integer,
    Kind.NUMBER: _number,
    Kind.BOOLEAN: _boolean,
    Kind.CATEGORY: _text,
}


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
