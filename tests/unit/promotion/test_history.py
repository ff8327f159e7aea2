"""Who served before is read from the ledger."""

from datetime import UTC, datetime, timedelta

from vigie.domain.event import Event, EventKind
from vigie.promotion.history import previous_champion, reigns

START = datetime(2026, 1, 1, tzinfo=UTC)


def story(*steps: tuple[EventKind, str]) -> list[Event]:
    """Return events an hour apart."""
    return [
        Event(kind, START + timedelta(hours=hour), "churn", "…", version=version)
        for hour, (kind, version) in enumerate(steps)
    ]


def test_the_first_champion_has_none_before_it() -> None:
    """There is nothing to go back to."""
    assert previous_champion(story((EventKind.PROMOTED, "1"))) is None


def test_rolling_back_twice_goes_back_two_champions() -> None:
    """A roll-back takes a promotion off the stack instead of swapping to and fro."""
    events = story((EventKind.PROMOTED, "1"), (EventKind.PROMOTED, "2"), (EventKind.PROMOTED, "5"))
    assert previous_champion(events) == "2"
    events += story((EventKind.ROLLED_BACK, "2"))
    assert previous_champion(events) == "1"


def test_other_events_do_not_change_the_champion() -> None:
    """Training or refusing a version is not a reign."""
    events = story((EventKind.PROMOTED, "1"), (EventKind.REGISTERED, "2"), (EventKind.GATED, "2"))
    assert [reign.version for reign in reigns(events)] == ["1"]
