"""Half-open windows in UTC."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from vigie.domain.window import Window, check_utc

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_start_is_in_and_end_is_out():
    """A window has its start and not its end."""
    window = Window(NOON, NOON + HOUR)
    assert NOON in window
    assert NOON + HOUR not in window
    assert NOON + HOUR - timedelta(microseconds=1) in window


def test_naive_times_are_refused():
    """A time that does not say its zone is a mistake, not a guess."""
    naive = NOON.replace(tzinfo=None)
    with pytest.raises(ValueError, match="time zone"):
        check_utc(naive)
    with pytest.raises(ValueError, match="time zone"):
        Window(naive, NOON)


def test_other_zones_become_utc():
    """The same moment in another zone is the same window."""
    paris = NOON.astimezone(timezone(timedelta(hours=1)))
    assert Window(paris, paris + HOUR).to_dict() == {
        "start": "2026-01-05T12:00:00+00:00",
        "end": "2026-01-05T13:00:00+00:00",
    }


def test_a_window_survives_json_and_reads_to_the_second():
    """Both ends, to the microsecond in JSON."""
    window = Window(NOON, NOON + HOUR + timedelta(microseconds=7))
    assert Window.from_dict(window.to_dict()) == window
    assert window.told == "2026-01-05 12:00:00 to 2026-01-05 13:00:00 UTC"


def test_end_before_start_is_refused():
    """A window cannot run backwards; an empty one is fine."""
    with pytest.raises(ValueError, match="before it starts"):
        Window(NOON, NOON - HOUR)
    assert NOON not in Window(NOON, NOON)


@pytest.mark.parametrize("step", [timedelta(0), -HOUR])
def test_step_must_be_positive(step):
    """A window cannot be split into steps that do not move."""
    with pytest.raises(ValueError, match="positive"):
        list(Window(NOON, NOON + HOUR).split(step))
