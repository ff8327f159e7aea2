"""Events keep aware UTC."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from vigie.domain.event import Event, EventKind


def test_time_becomes_utc():
    """An event's time is kept in UTC."""
    tokyo = datetime(2026, 1, 5, 9, tzinfo=timezone(timedelta(hours=9)))
    assert Event(EventKind.TRAINED, tokyo, "churn", "Trained.").at == datetime(2026, 1, 5, tzinfo=UTC)


def test_naive_time_is_refused():
    """An event without zone is a mistake."""
    naive = datetime(2026, 1, 5, 9)  # noqa: DTZ001  # the mistake itself
    with pytest.raises(ValueError, match="time zone"):
        Event(EventKind.TRAINED, naive, "churn", "Trained.")
