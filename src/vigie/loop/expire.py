"""Let predictions go by age."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, time, timedelta

from vigie.domain.event import Event, EventKind
from vigie.loop.memory import Memory
from vigie.ports import Expired


def expire(memory: Memory, keep: timedelta, told: Callable[[int], None] | None = None) -> Expired:
    """Delete the predictions of days that ended longer than ``keep`` ago, with their outcomes.

    Whole UTC days go, so that the copy of a day is never written anew from half of its rows.

    Args:
        memory: ports.
        keep: how long predictions stay.
        told: takes how many have gone, every now and then.

    Raises:
        StorageError: the rest is kept; the next call goes on.
    """
    before = horizon(memory.clock.now(), keep)
    gone = memory.log.expire(before, told)
    if gone.predictions or gone.orphans:
        memory.ledger.append(
            Event(
                kind=EventKind.EXPIRED,
                at=memory.clock.now(),
                model=memory.model,
                summary=f"Deleted {gone.predictions:,} predictions made before {before:%Y-%m-%d}.",
                evidence={**asdict(gone), "before": before.isoformat()},
            )
        )
    return gone


def horizon(now: datetime, keep: timedelta) -> datetime:
    """Return the midnight before which everything is older than ``keep``."""
    return datetime.combine((now - keep).astimezone(UTC).date(), time(), UTC)
