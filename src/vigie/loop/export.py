"""Copy whole days of the log to files, and only those that changed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from vigie.domain.event import Event, EventKind
from vigie.loop.memory import Memory
from vigie.ports import Exports

Progress = Callable[[str, int, int], None]
"""Takes what is being written, how many days are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Days:
    """Which days: from ``first`` to ``last``, both included; None is open."""

    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export did: days written and those that were up to date, and the rows of each kind."""

    written: int
    unchanged: int
    rows_written: int
    rows_unchanged: int


def export(memory: Memory, exports: Exports, folder: str, days: Days, progress: Progress) -> Exported:
    """Bring the copies in step with the log. A day is written anew when its rows or their outcomes changed.

    What age took from the log stays in the copies. Interrupted, it goes on where it was. The folder is in the ledger
    before the first file is in it: an erasure must find every copy.

    Args:
        memory: ports.
        exports: where the copies go.
        folder: what to call that place, such that another process finds it.
        days: which days.
        progress: told before each day.

    Raises:
        StorageError: the log, the ledger or the folder failed; what was written is whole.
    """
    known = {event.evidence["folder"] for event in memory.ledger.events(memory.model, kinds=(EventKind.EXPORTED,))}
    wanted = memory.log.days(memory.model, days.first, days.last)
    written = rows_written = rows = 0
    for place, day in enumerate(wanted):
        progress(day.day.isoformat(), place, len(wanted))
        rows += day.n
        if exports.fingerprint(memory.model, day) == day.fingerprint:
            continue
        if folder not in known:
            known.add(folder)
            memory.ledger.append(
                Event(
                    kind=EventKind.EXPORTED,
                    at=memory.clock.now(),
                    model=memory.model,
                    summary=f"Copies of the prediction log go to {folder}.",
                    evidence={"folder": folder},
                )
            )
        exports.put(memory.model, day, memory.log.stream(memory.model, day.schema, day.window))
        written, rows_written = written + 1, rows_written + day.n
    return Exported(written, len(wanted) - written, rows_written, rows - rows_written)


def export_folders(memory: Memory) -> list[str]:
    """Return every place that copies were written to, oldest first."""
    events = memory.ledger.events(memory.model, kinds=(EventKind.EXPORTED,))
    return list(dict.fromkeys(event.evidence["folder"] for event in events))
