"""Whatever rows are made of, reading them either keeps every value or names what is wrong."""

import json

from hypothesis import given
from hypothesis import strategies as st

from vigie.api.wire import decode_json
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.errors import SchemaMismatchError
from vigie.inference.payload import MAX_VIOLATIONS, pointer, read_rows

SCHEMA = Schema(
    (
        Feature("n", Kind.NUMBER, nullable=True),
        Feature("i", Kind.INTEGER),
        Feature("b", Kind.BOOLEAN),
        Feature("c", Kind.CATEGORY),
    ),
    Target("y", Task.REGRESSION),
    entity="who",
)

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200)
ROWS = st.fixed_dictionaries(
    {
        "n": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "i": st.integers(-(2**53), 2**53),
        "b": st.booleans(),
        "c": TEXT,
    },
    optional={"who": st.none() | TEXT},
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["n", "i", "b", "c", "x"]), inner),
    max_leaves=12,
)


@given(st.lists(ROWS, min_size=1, max_size=20))
def test_valid_rows_come_back_value_by_value(rows):
    """Through JSON bytes and typed columns, every value is the one that was sent, bit for bit."""
    read = read_rows(decode_json(json.dumps(rows).encode()), SCHEMA, max_rows=20)
    assert read.n == len(rows)
    for name, column in zip(SCHEMA.names, zip(*read.values, strict=True), strict=True):
        sent = [row[name] for row in rows]
        assert list(map(repr, column)) == [repr(float(v)) if name == "n" and v is not None else repr(v) for v in sent]
    assert read.entities == [row.get("who") for row in rows]


@given(JSON)
def test_anything_else_is_read_whole_or_refused_with_pointers(payload):
    """No other exception exists, and every violation has a place in the body."""
    violations, rows = _read(payload)
    places = [pointer(violation, single=isinstance(payload, dict)) for violation in violations]
    assert all(place == "" or place.startswith("/") for place in places)
    assert len(violations) <= MAX_VIOLATIONS
    assert (rows is None) == bool(violations)
    if rows is not None:
        assert {len(row) for row in rows.values} == {len(SCHEMA.names)}
        assert len(rows.values) == len(rows.entities) == rows.n
        assert len(rows.warnings) == rows.n


def _read(payload):
    try:
        return (), read_rows(payload, SCHEMA, max_rows=3)
    except SchemaMismatchError as exc:
        return exc.violations, None
