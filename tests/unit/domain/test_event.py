"""Events keep aware UTC."""

import json
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


def test_an_event_is_json():
    """Every attribute is there."""
    at = datetime(2026, 3, 1, tzinfo=UTC)
    event = Event(EventKind.TRAINED, at, "m", "Done.", "1", ("Why.",), {"a": 1}, 7)
    assert json.loads(json.dumps(event.to_dict())) == {
        "seq": 7, "kind": "trained", "at": "2026-03-01T00:00:00+00:00", "model": "m", "version": "1",
        "summary": "Done.", "reasons": ["Why."], "evidence": {"a": 1},
    }  # fmt: skip
