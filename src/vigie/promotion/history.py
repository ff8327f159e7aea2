"""Who served, and when: read from the ledger's events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from vigie.domain.event import Event, EventKind

REIGN_KINDS = (EventKind.PROMOTED, EventKind.ROLLED_BACK, EventKind.ALIAS_MOVED)
"""Events that change the champion."""


@dataclass(frozen=True, slots=True)
class Reign:
    """A version and the moment it became champion."""

    version: str
    since: datetime


def reigns(events: Sequence[Event]) -> list[Reign]:
    """Return the champions in order, from a model's events, oldest first."""
    return [
        Reign(event.version, event.at) for event in events if event.kind in REIGN_KINDS and event.version is not None
    ]


def previous_champion(events: Sequence[Event]) -> str | None:
    """Return the version that a roll-back returns to: the champion before the present one was promoted.

    Rolling back twice goes back two champions, because a roll-back takes its promotion off the stack.
    """
    stack: list[str] = []
    for event in events:
        if event.kind not in REIGN_KINDS or event.version is None:
            continue
        if event.kind is EventKind.ROLLED_BACK and len(stack) > 1:
            stack.pop()
        else:
            stack.append(event.version)
    return stack[-2] if len(stack) > 1 else None
