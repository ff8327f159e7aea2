"""What a person reads of a fault, a warning and a pointer."""

import pytest

from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.errors import SchemaMismatchError
from vigie.inference.payload import MAX_VIOLATIONS, pointer, read_rows

SCHEMA = Schema(
    (
        Feature("satisfaction", Kind.NUMBER, range=(1.0, 5.0), limits=(0.0, None)),
        Feature("city", Kind.CATEGORY, nullable=True, categories=("Lyon",)),
    ),
    Target("y", Task.REGRESSION),
)


def _violations(payload, max_rows=10):
    with pytest.raises(SchemaMismatchError) as caught:
        read_rows(payload, SCHEMA, max_rows=max_rows)
    return caught.value.violations


def test_a_warning_says_the_range_of_training():
    """The sentence has the feature and both bounds, and not the value."""
    (warnings,) = read_rows({"satisfaction": 7.25, "city": "Nice"}, SCHEMA, max_rows=1).warnings
    assert [(note.code, note.detail) for note in warnings] == [
        ("outside-range", "feature 'satisfaction' is outside the training range [1, 5]"),
        ("unknown-category", "feature 'city' has a category unseen in training"),
    ]


def test_a_misspelt_name_gets_the_nearest_one():
    """The name that is missing and the name that is too much are both told."""
    missing, unknown = _violations({"satisfacton": 3.0, "city": None})
    assert (missing.feature, missing.code) == ("satisfaction", "missing")
    assert unknown.found == "another name (did you mean 'satisfaction'?)"


def test_all_faults_of_all_rows_are_collected():
    """A client mends a batch in one go."""
    rows = [{"satisfaction": "x", "city": 1}, {"satisfaction": 3, "city": None}, {"satisfaction": -1, "city": "Lyon"}]
    found = [(pointer(fault, single=False), fault.code) for fault in _violations(rows)]
    assert found == [("/0/satisfaction", "wrong-type"), ("/0/city", "wrong-type"), ("/2/satisfaction", "out-of-range")]


def test_reading_stops_at_a_hundred_faults():
    """A hostile body costs no more than a bad one."""
    assert len(_violations([{}] * 1000, max_rows=1000)) == MAX_VIOLATIONS


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_numbers_from_python_must_be_finite_too(value):
    """JSON cannot say them, a caller in Python can."""
    (fault,) = _violations({"satisfaction": value, "city": None})
    assert fault.code == "not-finite"


def test_half_a_surrogate_pair_from_python_is_refused():
    """It could not be logged."""
    (fault,) = _violations({"satisfaction": 3, "city": "\ud800"})
    assert fault.code == "invalid-unicode"


@pytest.mark.parametrize(
    ("payload", "place"), [("x", ""), ([], ""), ([1], "/0"), ({"a/b~": 1, "satisfaction": 1, "city": None}, "/a~1b~0")]
)
def test_a_pointer_leads_into_the_body_that_was_sent(payload, place):
    """RFC 6901, with and without a row number."""
    fault = _violations(payload)[0]
    assert pointer(fault, single=isinstance(payload, dict)) == place
