"""Ids carry their time and sort by it."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from vigie.adapters.clock import RandomIds
from vigie.domain.prediction import uuid7

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
moments = st.datetimes(datetime(1970, 1, 2), datetime(2500, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001  # as asked
randoms = st.binary(min_size=10, max_size=10)


@given(at=moments, random=randoms)
def test_time_can_be_read_back(at, random):
    """An id is of version 7, of the standard's variant, and holds its time's milliseconds."""
    made = uuid7(at, random)
    assert made.version == 7
    assert made.int >> 80 == (at - EPOCH) // timedelta(milliseconds=1)


@given(first=moments, second=moments, randoms=st.tuples(randoms, randoms))
def test_later_is_greater(first, second, randoms):
    """Ids of different milliseconds sort as their times do."""
    if second - first >= timedelta(milliseconds=1):
        assert uuid7(first, randoms[0]).bytes < uuid7(second, randoms[1]).bytes


@given(at=st.lists(moments, min_size=2, max_size=30))
def test_one_source_only_rises(at):
    """Whatever the clock does, each id of one source is greater than the one before."""
    ids = RandomIds()
    made = [ids.new_id(moment) for moment in at]
    assert made == sorted(set(made))
