"""What the loop did, and why: the line of the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from vigie.domain.window import check_utc


class EventKind(StrEnum):
    """The steps of the loop that leave a trace."""

    TRAINED = "trained"
    REGISTERED = "registered"
    REFUSED = "refused"
    MONITORED = "monitored"
    ALERTED = "alerted"
    RETRAIN_DECIDED = "retrain_decided"
    GATED = "gated"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"
    ALIAS_MOVED = "alias_moved"
    EXPORTED = "exported"
    EXPIRED = "expired"
    ERASURE_BEGAN = "erasure_began"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the ledger.

    Attributes:
        kind: which step.
        at: when, UTC.
        model: the model's registered name.
        summary: one sentence for a person.
        version: the version it is about, if one.
        reasons: why, one sentence each.
        evidence: plain JSON values that the reasons rest on.
        seq: place in the ledger, given by it.
    """

    kind: EventKind
    at: datetime
    model: str
    summary: str
    version: str | None = None
    reasons: tuple[str, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)
    seq: int | None = None

    def __post_init__(self) -> None:
        """Keep aware UTC only."""
        object.__setattr__(self, "at", check_utc(self.at))

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "seq": self.seq,
            "kind": self.kind.value,
            "at": self.at.isoformat(),
            "model": self.model,
            "version": self.version,
            "summary": self.summary,
            "reasons": list(self.reasons),
            "evidence": dict(self.evidence),
        }
