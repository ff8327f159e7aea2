"""Answers to rows of a typed table: plain tuples in the order of the insert statement."""

import operator
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from vigie.adapters.prediction_log.table import PredictionTable
from vigie.adapters.sqlite.moments import microseconds
from vigie.domain.prediction import Prediction, PredictionRecord
from vigie.domain.schema import Kind, Label, Schema, Value
from vigie.errors import SchemaMismatchError, Violation

_VERSION_BYTE: Final = 6  # of a UUID: its high half is the version
_LEAST, _MOST = -(2**63), 2**63 - 1
_NOT_NUMBERS = (bool, str)
_encode_json = msgspec.json.Encoder().encode


class RowEncoder:
    """Implements ``ports.RowEncoder`` for one model, schema and variant."""

    def __init__(self, model: str, schema: Schema, *, variant: str | None = None) -> None:
        """Prepare what every row needs.

        Args:
            model: the registered model's name.
            schema: its features and target.
            variant: the part it plays (``champion``, ``challenger``), if anybody wants to know.
        """
        self.table = PredictionTable(model, schema)
        self._schema = schema
        self._variant = None if variant is None else _text(variant)
        self._is_class = schema.target.task.is_classification
        self._labels = {(type(label), label): _json(label) for label in schema.target.classes}
        self._writers = tuple(_WRITERS[feature.kind] for feature in schema.features)
        self._plain = _plain_reader(schema)

    def encode(  # noqa: PLR0913, PLR0917  a record's fields, passed as they are on the hot path
        self,
        prediction_id: bytes,
        at_us: int,
        version: str,
        entity: str | None,
        latency_us: int | None,
        prediction: Prediction,
        values: Sequence[Value],
    ) -> tuple[Any, ...]:
        """Return one row; see ``ports.RowEncoder``.

        Raises:
            SchemaMismatchError: a value cannot be kept as the schema's kind; the violation's row is 0.
            ValueError: the id is not a version 7 UUID, or the number of values is wrong.
        """
        if len(prediction_id) != 16 or prediction_id[_VERSION_BYTE] >> 4 != 7:
            raise ValueError(f"{prediction_id.hex()} is not a version 7 UUID; the log keeps time order by it")
        if len(values) != len(self._writers):
            raise ValueError(f"a record has {len(values)} features, its schema {len(self._writers)}")
        try:
            features = self._plain(values)
            if features is None:
                features = [
                    None if value is None else write(value) for write, value in zip(self._writers, values, strict=True)
                ]
            entity = None if entity is None else _text(entity)
            answer = self._answer(prediction)
        except (TypeError, ValueError, OverflowError) as exc:
            raise SchemaMismatchError(self._faults(prediction, values)) from exc
        return (prediction_id, at_us, version, self._variant, entity, latency_us, *answer, *features)

    def _answer(self, prediction: Prediction) -> tuple[float | None, str | None, str | None]:
        if self._is_class:
            return None, self._label(prediction.value), _json(prediction.probabilities)
        return _number(prediction.value), None, None

    def _label(self, value: Label) -> str:
        """Return a class as JSON text: the schema's own are written once."""
        known = self._labels.get((type(value), value))
        return _json(value) if known is None else known

    def _faults(self, prediction: Prediction, values: Sequence[Value]) -> list[Violation]:
        """Say which values cannot be kept; the answer or the entity when none of the features is to blame."""
        faults = []
        for feature, write, value in zip(self._schema.features, self._writers, values, strict=True):
            try:
                if value is not None:
                    write(value)
            except (TypeError, ValueError, OverflowError):
                expected = f"a storable {feature.kind.value}"
                faults.append(Violation(0, feature.name, "unwritable", expected, type(value).__name__))
        try:
            self._answer(prediction)
        except (TypeError, ValueError, OverflowError):
            faults.append(Violation(0, "prediction", "unwritable", "a storable answer", "something else"))
        return faults or [Violation(0, self._schema.entity or "entity", "unwritable", "a storable text", "another")]


def encode_records(encoder: RowEncoder, records: Sequence[PredictionRecord]) -> list[tuple[Any, ...]]:
    """Return one row per record, all or none.

    Raises:
        SchemaMismatchError: values cannot be kept as the schema's kinds.
        ValueError: an id is not a version 7 UUID, a time has no zone, or the number of features is wrong.
    """
    rows, faults = [], []
    for place, record in enumerate(records):
        try:
            rows.append(_encode_record(encoder, record))
        except SchemaMismatchError as exc:
            faults += [
                Violation(place, fault.feature, fault.code, fault.expected, fault.found) for fault in exc.violations
            ]
    if faults:
        raise SchemaMismatchError(faults)
    return rows


def _encode_record(encoder: RowEncoder, record: PredictionRecord) -> tuple[Any, ...]:
    row = encoder.encode(
        record.id.bytes,
        microseconds(record.at),
        record.version,
        record.entity,
        record.latency_us,
        record.prediction,
        record.features,
    )
    return row if record.variant is None else (*row[:3], record.variant, *row[4:])


def _plain_reader(schema: Schema) -> Callable[[Sequence[Value]], Sequence[Any] | None]:
    """Return a function that gives values as they are written, None where one needs care: one expression of places.

    Most rows have every value, each of its column's own type: that takes one comparison for all of them.
    """
    kinds = [feature.kind for feature in schema.features]
    usual = ["tuple(map(type, v)) == usual", *(_USUAL[kind].format(f"v[{i}]") for i, kind in enumerate(kinds))]
    plain = [_PLAIN[kind].format(f"v[{i}]") for i, kind in enumerate(kinds)]
    one, other = (" and ".join(filter(None, tests)) or "True" for tests in (usual, plain))
    as_usual = as_plain = "v"
    if Kind.BOOLEAN in kinds:  # the driver looks for an adapter of every truth value, so they go as numbers
        places = [(f"v[{i}]", kind is Kind.BOOLEAN) for i, kind in enumerate(kinds)]
        as_usual = f"({''.join(f'+{v},' if is_truth else f'{v},' for v, is_truth in places)})"
        as_plain = f"({''.join(f'{v} if {v} is None else +{v},' if is_truth else f'{v},' for v, is_truth in places)})"
    code = compile(
        f"lambda v: {as_usual} if {one} else {as_plain} if {other} else None", "<plain values of a row>", "eval"
    )
    names = {"usual": tuple(_TYPES[kind] for kind in kinds)}
    reader: Callable[[Sequence[Value]], Sequence[Any] | None] = eval(code, names)  # noqa: S307 - places only
    return reader


def _json(value: Label | tuple[float, ...]) -> str:
    return _encode_json(value).decode()


def _integer(value: Any) -> int | None:
    if type(value) is int and _LEAST <= value <= _MOST:
        return value
    if isinstance(value, float):
        if value != value:  # noqa: PLR0124  # NaN is missing
            return None
        if not value.is_integer():
            raise ValueError("a fraction")
        value = int(value)
    if isinstance(value, bool):
        raise TypeError("a boolean")
    number = operator.index(value)
    if not _LEAST <= number <= _MOST:
        raise OverflowError("more than 64 bits")
    return number


def _number(value: Any) -> float | None:
    if type(value) is not float:
        if isinstance(value, _NOT_NUMBERS):
            raise TypeError("not a number")
        value = float(value)
    number: float = value
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
    if not value.isascii():
        value.encode()  # a lone surrogate has no UTF-8
    return value


_WRITERS: Final[dict[Kind, Callable[[Any], Any]]] = {
    Kind.INTEGER: _integer,
    Kind.NUMBER: _number,
    Kind.BOOLEAN: _boolean,
    Kind.CATEGORY: _text,
}

_PLAIN: Final = {
    Kind.INTEGER: f"(type({{0}}) is int and {_LEAST}<={{0}}<={_MOST} or {{0}} is None)",
    Kind.NUMBER: "(type({0}) is float and {0}=={0} or {0} is None)",
    Kind.BOOLEAN: "(type({0}) is bool or {0} is None)",
    Kind.CATEGORY: "(type({0}) is str and {0}.isascii() or {0} is None)",
}
"""Which values of a kind are written as they are: the rest takes ``_WRITERS``."""

_TYPES: Final = {Kind.INTEGER: int, Kind.NUMBER: float, Kind.BOOLEAN: bool, Kind.CATEGORY: str}
_USUAL: Final = {
    Kind.INTEGER: f"{_LEAST}<={{0}}<={_MOST}",
    Kind.NUMBER: "",
    Kind.BOOLEAN: "",
    Kind.CATEGORY: "{0}.isascii()",
}
"""What is left to ask of a value of the kind's type. SQLite itself keeps NaN as null."""
