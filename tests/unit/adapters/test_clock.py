"""The machine's clock and the ids made from it."""

from datetime import timedelta

from vigie.adapters.clock import RandomIds, SystemClock
from vigie.testing.clock import START


def test_clock_is_utc():
    """The present says its zone, and does not go back between two looks."""
    clock = SystemClock()
    first, second = clock.now(), clock.now()
    assert first.utcoffset() == timedelta(0)
    assert first <= second


def test_ids_do_not_step_back_with_the_clock():
    """When the clock steps back an hour, ids keep the latest time and go on rising until it has caught up."""
    ids = RandomIds()
    moments = [START, START - timedelta(hours=1), START - timedelta(minutes=30), START + timedelta(milliseconds=1)]
    made = [ids.new_id(moment) for moment in moments]
    assert made == sorted(set(made))
    latest_ms = made[0].int >> 80
    assert [one.int >> 80 for one in made] == [latest_ms, latest_ms, latest_ms, latest_ms + 1]


def test_sources_do_not_meet():
    """Two processes that make ids in one millisecond make different ones."""
    sources = [RandomIds(), RandomIds()]
    made = [source.new_id(START) for source in sources for _ in range(500)]
    assert len(set(made)) == 1000
