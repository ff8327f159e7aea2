"""What every source of prediction ids does."""
# ruff: noqa: S101 -- assert is how pytest works

from datetime import timedelta
from uuid import UUID

import pytest

from vigie.ports import IdSource
from vigie.testing.clock import START


class IdSourceSuite:
    """Subclass it and give ``ids``: a new source of ids."""

    @pytest.fixture
    def ids(self) -> IdSource:
        """Return the source under test."""
        raise NotImplementedError("Give a fixture `ids` in your subclass.")

    def test_id_carries_its_time(self, ids: IdSource) -> None:
        """An id is a version 7 UUID whose first 48 bits are the milliseconds since 1970."""
        made = ids.new_id(START + timedelta(microseconds=7999))
        assert made.version == 7
        assert made.int >> 80 == int(START.timestamp()) * 1000 + 7

    def test_ids_rise_within_a_millisecond(self, ids: IdSource) -> None:
        """Ids of one moment are all different, and sort as they were given."""
        made = [ids.new_id(START) for _ in range(1000)]
        assert made == sorted(set(made))

    def test_ids_by_the_handful_are_ids_in_a_row(self, ids: IdSource) -> None:
        """Several ids taken at once rise, carry their time, and come before the next one."""
        at_us = int(START.timestamp()) * 1_000_000 + 7999
        made = [UUID(bytes=one) for one in ids.take(at_us, 100)]
        assert [one.version for one in made] == [7] * 100
        assert {one.int >> 80 for one in made} == {at_us // 1000}
        assert made == sorted(set(made))
        assert made[-1] < ids.new_id(START + timedelta(microseconds=7999))

    def test_ids_rise_with_time(self, ids: IdSource) -> None:
        """A later moment gives a greater id."""
        made = [ids.new_id(START + timedelta(milliseconds=step)) for step in range(100)]
        assert made == sorted(set(made))
