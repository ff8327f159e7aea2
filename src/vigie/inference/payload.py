"""From parsed JSON to typed rows under a schema: every fault is named, nothing is coerced, nothing is repeated back.

``"30"`` is text and ``true`` is not 1; ``30.0`` is a fine integer. A key that the schema calls missing must be sent as
``null``: leaving it out is a fault, so that a misspelt name cannot pass for an unknown value.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from vigie.domain.schema import Schema, Value
from vigie.errors import SchemaMismatchError, Violation, nearest
from vigie.inference.values import KIND_WORDS, Caution, Fault, caution, check_text, describe, read_value

WHOLE_BODY = -1
"""The row of a violation that is about the body itself."""

MAX_VIOLATIONS = 100
"""Reading stops at this many: nobody mends more at a time, and a hostile body could hold a hundred thousand."""

MAX_NAME = 80
"""Letters of an unknown name that are repeated back."""

MISSING = object()
"""A key that is not there, as opposed to null."""


class Rows(Struct):
    """Rows that fit a schema.

    Attributes:
        values: one tuple a row, in the schema's order.
        entities: whom each row is about, None where it does not say.
        warnings: what to be careful about, per row.
        single: whether the body was one object instead of an array.
    """

    values: list[tuple[Value, ...]]
    entities: Sequence[str | None]
    warnings: Sequence[tuple[Caution, ...]]
    single: bool

    @property
    def n(self) -> int:
        """How many rows there are."""
        return len(self.values)


def read_rows(payload: Any, schema: Schema, *, max_rows: int) -> Rows:
    """Return the rows of a request, all of them or none.

    Args:
        payload: parsed JSON; an object is one row, an array of objects several.
        schema: what the model takes; its entity column may be sent beside the features.
        max_rows: the longest array that is read.

    Raises:
        SchemaMismatchError: with every fault of every row, up to ``MAX_VIOLATIONS``.
    """
    single = isinstance(payload, dict)
    items = [payload] if single else check_items(payload, max_items=max_rows, what="row")
    reader = _Reader(schema)
    for row, item in enumerate(items):
        reader.read(row, item)
        if len(reader.violations) >= MAX_VIOLATIONS:
            break
    if reader.violations:
        raise SchemaMismatchError(reader.violations[:MAX_VIOLATIONS])
    return Rows(reader.values, reader.entities, reader.warnings, single)


def check_items(payload: Any, *, max_items: int, what: str) -> Sequence[Any]:
    """Return a body that is an array of one to ``max_items`` items.

    Raises:
        SchemaMismatchError: it is something else, empty or longer.
    """
    if not isinstance(payload, list):
        raise _about_the_body(Fault("wrong-type", f"an object or an array of objects, one a {what}", describe(payload)))
    check_count(len(payload), max_items=max_items, what=what)
    return payload


def check_count(n: int, *, max_items: int, what: str) -> None:
    """Do nothing for one to ``max_items`` items.

    Raises:
        SchemaMismatchError: there are none, or more.
    """
    if n == 0:
        raise _about_the_body(Fault("empty-batch", f"at least one {what}", "an empty array"))
    if n > max_items:
        raise _about_the_body(Fault("batch-too-large", f"at most {max_items:,} {what}s at a time", f"{n:,}"))


def _about_the_body(fault: Fault) -> SchemaMismatchError:
    return SchemaMismatchError([Violation(WHOLE_BODY, "", fault.code, fault.expected, fault.found)])


class _Reader:
    """Rows one by one, and the faults met on the way."""

    def __init__(self, schema: Schema) -> None:
        self.values: list[tuple[Value, ...]] = []
        self.entities: list[str | None] = []
        self.warnings: list[tuple[Caution, ...]] = []
        self.violations: list[Violation] = []
        self._schema = schema
        self._known = frozenset(schema.names) | ({schema.entity} if schema.entity else set())
        self._seen = {feature.name: frozenset(feature.categories) for feature in schema.features}

    def read(self, row: int, item: Any) -> None:
        if not isinstance(item, dict):
            self._note(row, "", Fault("wrong-type", "an object with one value per feature", describe(item)))
            return
        values: list[Value] = []
        cautions: list[Caution] = []
        for feature in self._schema.features:
            raw = item.get(feature.name, MISSING)
            if raw is MISSING:
                wanted = (
                    f"{KIND_WORDS[feature.kind]}, null when unknown" if feature.nullable else KIND_WORDS[feature.kind]
                )
                self._note(row, feature.name, Fault("missing", wanted, "nothing"))
                continue
            value = read_value(feature, raw)
            if isinstance(value, Fault):
                self._note(row, feature.name, value)
                continue
            values.append(value)
            if (careful := caution(feature, value, self._seen[feature.name])) is not None:
                cautions.append(careful)
        self._read_entity(row, item)
        self._refuse_unknown(row, item)
        self.values.append(tuple(values))
        self.warnings.append(tuple(cautions))

    def _read_entity(self, row: int, item: dict[Any, Any]) -> None:
        entity: Any = item.get(self._schema.entity) if self._schema.entity else None
        if isinstance(entity, int) and not isinstance(entity, bool):
            entity = str(entity)
        if entity is not None and (fault := check_text(entity)) is not None:
            self._note(row, self._schema.entity or "", fault)
            return
        self.entities.append(entity)

    def _refuse_unknown(self, row: int, item: dict[Any, Any]) -> None:
        if item.keys() <= self._known:
            return
        for name in item:
            if name not in self._known and len(self.violations) < MAX_VIOLATIONS:
                shown = str(name)[:MAX_NAME]
                hint = nearest(shown, self._schema.names).strip()
                found = f"another name ({hint[0].lower()}{hint[1:]})" if hint else "another name"
                self._note(row, shown, Fault("unknown-feature", "only features of the model", found))

    def _note(self, row: int, feature: str, fault: Fault) -> None:
        self.violations.append(Violation(row, feature, fault.code, fault.expected, fault.found))


def pointer(violation: Violation, *, single: bool) -> str:
    """Return the JSON pointer (RFC 6901) of a violation in the body it was found in."""
    if violation.row == WHOLE_BODY:
        return ""
    row = "" if single else f"/{violation.row}"
    whole_row = not violation.feature and violation.code == "wrong-type"
    return row if whole_row else f"{row}/{escape(violation.feature)}"


def escape(name: str) -> str:
    """Return a name as a part of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")
