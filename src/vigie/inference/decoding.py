"""From the bytes of a body straight to typed rows: the quick reader of what is right at first sight.

It accepts less than ``payload`` does, and what it accepts it reads alike. Whatever else is in a body (a fault, ``30.0``
for an integer, a number beyond 2^53, a very long text) makes it step aside, and the precise reader decides.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import astuple

from vigie.domain.schema import Feature, Kind, Schema, Value
from vigie.inference.payload import Rows
from vigie.inference.values import MAX_TEXT_BYTES, Caution, caution

EXACT = 2**53
"""Every integer below is a float64 of its own; beyond, the precise reader tells what is lost."""

LONGEST_CHARACTER = 4
"""Bytes of UTF-8."""

ESCAPED_NUL = b"\\u0000"
"""The only way to write NUL in JSON; the log refuses it in text."""

Text = Annotated[str, Meta(max_length=MAX_TEXT_BYTES // LONGEST_CHARACTER)]
Number = Annotated[int, Meta(gt=-EXACT, lt=EXACT)]
NO_WARNING: tuple[Caution, ...] = ()


class RowDecoder:
    """Reads bodies under one schema. Fields are known by place: a feature's name never becomes a Python name.

    Args:
        schema: what the model takes; its entity column may be sent beside the features.
    """

    def __init__(self, schema: Schema) -> None:
        self._types = _field_types(schema)
        self._required = frozenset(schema.names)
        self._are_texts = [feature.kind is Kind.CATEGORY for feature in schema.features] + [True] * bool(schema.entity)
        self._row: Any = _row_type(self._types, schema)
        self._decoder = None if self._row is None else msgspec.json.Decoder(self._row | _list_of(self._row))
        self._cautions = Cautions(schema)
        self._has_entity = schema.entity is not None

    def decode(self, body: bytes, *, max_rows: int) -> Rows | None:
        """Return the rows of a JSON body, None when the precise reader should look at it.

        Args:
            body: an object, or an array of objects.
            max_rows: the longest array that is read.
        """
        if self._decoder is None or ESCAPED_NUL in body:
            return None
        try:
            found = self._decoder.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        if type(found) is self._row:
            row, entity = astuple(found), None
            if self._has_entity:
                entity = row[-1]
                row = row[:-1]
            return Rows([row], (entity if entity is None else str(entity),), (self._cautions.of(row),), True)
        if 0 < len(found) <= max_rows:
            return self._rows([astuple(row) for row in found], single=False)
        return None

    def decode_split(self, columns: tuple[str, ...], data: bytes, *, max_rows: int) -> Rows | None:
        """Return the rows of an array of arrays whose columns are named apart, None as ``decode`` does.

        Args:
            columns: names in the order of ``data``: every feature once, and the entity if it is sent.
            data: JSON.
            max_rows: the longest array that is read.
        """
        named = set(columns)
        if ESCAPED_NUL in data or len(named) != len(columns) or not self._required <= named <= self._types.keys():
            return None
        row_type: Any = tuple.__class_getitem__(tuple(self._types[name] for name in columns))
        try:
            found = msgspec.json.decode(data, type=_list_of(row_type))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        if not 0 < len(found) <= max_rows:
            return None
        places = [columns.index(name) if name in named else None for name in self._types]
        ordered = [tuple(None if place is None else row[place] for place in places) for row in found]
        return self._rows(ordered, single=False)

    def from_columns(self, columns: Mapping[str, list[Any]]) -> Rows | None:
        """Return the rows of plain values by column, None as ``decode`` does.

        Args:
            columns: lists of one length: every feature, and the entity if it is sent.
        """
        if not self._required <= columns.keys() <= self._types.keys() or not all(columns.values()):
            return None
        n_rows = len(next(iter(columns.values())))
        absent = [None] * n_rows
        try:
            typed = [msgspec.convert(columns.get(name, absent), _list_of(kind)) for name, kind in self._types.items()]
        except msgspec.ValidationError:
            return None
        texts = (column for column, is_text in zip(typed, self._are_texts, strict=True) if is_text)
        if any("\0" in text for column in texts for text in column if isinstance(text, str)):
            return None
        return self._rows(list(zip(*typed, strict=True)), single=False)

    def _rows(self, found: list[tuple[Any, ...]], *, single: bool) -> Rows:
        entities: Sequence[str | None] = (None,) * len(found)
        if self._has_entity:
            entities = [None if row[-1] is None else str(row[-1]) for row in found]
            found = [row[:-1] for row in found]
        return Rows(found, entities, self._cautions.of_all(found), single)


class Cautions:
    """Says which values of a row a model extrapolates from, quickly when there are none.

    Args:
        schema: with the ranges and categories seen at training.
    """

    def __init__(self, schema: Schema) -> None:
        self._features = [(feature, frozenset(feature.categories)) for feature in schema.features]
        self._familiar = _familiarity(schema)

    def of(self, row: Sequence[Value]) -> tuple[Caution, ...]:
        """Return the words of caution for a row, in the order of the features."""
        return NO_WARNING if self._familiar(row) else self._said(row)

    def of_all(self, rows: Sequence[Sequence[Value]]) -> list[tuple[Caution, ...]]:
        """Return the words of caution for each row."""
        familiar, said = self._familiar, self._said
        return [NO_WARNING if familiar(row) else said(row) for row in rows]

    def _said(self, row: Sequence[Value]) -> tuple[Caution, ...]:
        found = (caution(feature, value, seen) for (feature, seen), value in zip(self._features, row, strict=True))
        return tuple(careful for careful in found if careful is not None)


def _list_of(kind: Any) -> Any:
    return list.__class_getitem__(kind)  # made at run time, which a type checker cannot follow


def _field_types(schema: Schema) -> dict[str, Any]:
    """Return what each column may be, by name, the entity last."""
    types = {feature.name: _field_type(feature) for feature in schema.features}
    return types if schema.entity is None else types | {schema.entity: Text | Number | None}


def _row_type(types: Mapping[str, Any], schema: Schema) -> type[Struct] | None:
    """Return the fields of a row; None where a name holds a quote, a backslash or a control character.

    msgspec makes no field of such a name; the precise reader takes every body then.
    """
    fields: list[Any] = [(f"f{place}", kind) for place, kind in enumerate(types.values())]
    if schema.entity is not None:
        fields[-1] = (*fields[-1], None)
    names = {f"f{place}": name for place, name in enumerate(types)}
    try:
        return msgspec.defstruct("Row", fields, rename=names, forbid_unknown_fields=True, gc=False)
    except ValueError:
        return None


def _field_type(feature: Feature) -> Any:
    if feature.kind is Kind.CATEGORY:
        plain: Any = Text
    elif feature.kind is Kind.BOOLEAN:
        plain = bool
    else:
        plain = _bounded(feature)
    return plain | None if feature.nullable else plain


def _bounded(feature: Feature) -> Any:
    """Return the type of a number within the feature's hard limits, and within what float64 holds exactly."""
    low, high = feature.limits or (None, None)
    low = None if low is None or low <= -EXACT else low
    high = None if high is None or high >= EXACT else high
    if feature.kind is Kind.INTEGER:
        low = None if low is None else math.ceil(low)
        high = None if high is None else math.floor(high)
    from_below = Meta(gt=-EXACT) if low is None else Meta(ge=low)
    from_above = Meta(lt=EXACT) if high is None else Meta(le=high)
    return Annotated[int if feature.kind is Kind.INTEGER else float, from_below, from_above]


def _familiarity(schema: Schema) -> Callable[[Sequence[Value]], bool]:
    """Return a function that is true for rows without any caution: one expression of places, numbers and tables."""
    names: dict[str, Any] = {"inf": math.inf, "nan": math.nan}
    tests = []
    for place, feature in enumerate(schema.features):
        if feature.kind is Kind.CATEGORY:
            names[f"S{place}"] = frozenset(feature.categories)
            test = f"r[{place}] in S{place}"
        elif feature.range is not None:
            low, high = feature.range
            test = f"{low!r}<=r[{place}]<={high!r}"
        else:
            continue
        tests.append(f"(r[{place}] is None or {test})" if feature.nullable else test)
    code = compile(f"lambda r: {' and '.join(tests) or 'True'}", "<familiarity of a row>", "eval")
    familiar: Callable[[Sequence[Value]], bool] = eval(code, names)  # noqa: S307 - numbers and names of our own
    return familiar
