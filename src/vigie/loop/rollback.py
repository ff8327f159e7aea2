"""Go back one champion."""

from vigie.domain.event import Event, EventKind
from vigie.errors import RegistryError
from vigie.loop.champion import champion_version
from vigie.loop.context import Loop
from vigie.loop.promote import Move, notice_moved_alias, promote
from vigie.promotion.history import previous_champion


def rollback(loop: Loop, *, owner: str, reason: str) -> Event:
    """Make the champion before the present one champion again.

    Raises:
        NoChampionError: nothing serves.
        RegistryError: there was no champion before this one.
    """
    current = champion_version(loop)
    notice_moved_alias(loop, current)
    previous = previous_champion(loop.ledger.events(loop.model))
    if previous is None:
        raise RegistryError(
            f"Version {current} is the first champion of {loop.model!r}: there is none to go back to.",
            remedy="Promote another version with `vigie promote VERSION`.",
        )
    move = Move(version=previous, expected=current, kind=EventKind.ROLLED_BACK, reasons=(reason,))
    return promote(loop, move, owner=owner)
