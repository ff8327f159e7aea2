"""Move the champion alias, under a lease and with compare-and-swap, and record why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vigie.domain.event import Event, EventKind
from vigie.domain.model import CHAMPION
from vigie.errors import AliasMovedError
from vigie.loop.champion import check_servable
from vigie.loop.context import Loop
from vigie.promotion.history import reigns

LEASE_TTL_S = 60.0
"""A promotion takes a second; a lease left by a crash is free again after a minute."""


@dataclass(frozen=True, slots=True)
class Move:
    """A change of champion that somebody decided.

    Attributes:
        version: the new champion.
        expected: the champion that the decision was made against; None when there was none.
        kind: promoted or rolled back.
        reasons: one sentence each.
        evidence: plain JSON values behind them.
    """

    version: str
    expected: str | None
    kind: EventKind = EventKind.PROMOTED
    reasons: Sequence[str] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)


def promote(loop: Loop, move: Move, *, owner: str) -> Event:
    """Make ``move.version`` the champion.

    The ledger is written after the alias: a crash between the two leaves an alias that the next look notices as moved
    by hand, never a promotion on record that did not happen.

    Raises:
        AliasMovedError: the champion is no longer the one the decision was made against.
        LeaseHeldError: another process is changing this model.
        ModelNotFoundError: no such version.
        BundleError: no server of this project would serve it, and the message says why.
    """
    with loop.ledger.lease(loop.model, owner=owner, ttl_s=LEASE_TTL_S):
        found = loop.registry.alias(loop.model, CHAMPION)
        if found != move.expected:
            raise AliasMovedError(CHAMPION, expected=move.expected, found=found)
        check_servable(loop, move.version)
        if found:
            notice_moved_alias(loop, found)  # else the way back would lead past whoever serves now
        loop.registry.point(loop.model, CHAMPION, move.version)
        word = "Rolled back to" if move.kind is EventKind.ROLLED_BACK else "Promoted"
        before = f", after version {found}" if found else ", the first champion"
        return loop.ledger.append(
            Event(
                kind=move.kind,
                at=loop.clock.now(),
                model=loop.model,
                version=move.version,
                summary=f"{word} version {move.version}{before}.",
                reasons=tuple(move.reasons),
                evidence={**move.evidence, "previous": found, "by": owner},
            )
        )


def notice_moved_alias(loop: Loop, version: str) -> None:
    """Record a champion that the ledger does not know of: somebody moved the alias by hand."""
    known = reigns(loop.ledger.events(loop.model))
    if known and known[-1].version == version:
        return
    summary = f"The champion is version {version}: somebody moved the alias by hand."
    loop.ledger.append(Event(EventKind.ALIAS_MOVED, loop.clock.now(), loop.model, summary, version=version))
