"""What a window is compared with: the training data, or an earlier window that stands in for them."""

from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from vigie.domain.window import Window
from vigie.monitoring.columns import Column, ColumnCounts, NumericColumn
from vigie.monitoring.counts import WindowCounts
from vigie.monitoring.grid import LevelCounts, NumberCounts
from vigie.monitoring.profile import ReferenceProfile

BaselineKind = Literal["training", "season", "accepted"]

NAMES: Final[dict[BaselineKind, str]] = {
    "training": "training",
    "season": "the same period one season ago",
    "accepted": "the last accepted window",
}
"""How baselines are called in running text."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """Which rows a report compares with.

    Attributes:
        kind: ``training``, ``season`` (the same period one season ago) or ``accepted`` (the last window whose inputs
            were judged and raised no alarm).
        n: rows.
        window: when they were predicted; None for the training data.
        asked: the kind that was asked for and could not be had; None where this is the one.
        reason: why it could not, in a few words; empty where nothing else was asked for.
    """

    kind: BaselineKind
    n: int
    window: Window | None = None
    asked: BaselineKind | None = None
    reason: str = ""

    @property
    def name(self) -> str:
        """What it is, in a few words."""
        return NAMES[self.kind]

    @property
    def told(self) -> str:
        """What it is, when, and how many rows."""
        when = f", {self.window.told}" if self.window else ""
        return f"{self.name}{when}, n = {self.n:,}"

    @property
    def sentence(self) -> str:
        """What a reader must know who takes it for the training data, or for what was asked for; else empty."""
        instead = f", not with {NAMES[self.asked]}: {self.reason}" if self.asked else ""
        return f"Inputs and predictions are compared with {self.told}{instead}." if instead or self.window else ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        window = self.window.to_dict() if self.window else None
        return {"kind": self.kind, "n": self.n, "window": window, "asked": self.asked, "reason": self.reason}


def rebased(profile: ReferenceProfile, counts: WindowCounts) -> ReferenceProfile:
    """Return a profile whose reference is another window, on the grid of the training data.

    Cells, known levels, ranges and natural margins stay those of training, so that figures stay comparable.

    Args:
        profile: of the training data.
        counts: the window's, on the profile's grid.
    """
    features = tuple(_rebased(column, its) for column, its in zip(profile.features, counts.features, strict=True))
    return replace(profile, features=features, prediction=_rebased(profile.prediction, counts.prediction))


def _rebased(column: Column, counts: ColumnCounts) -> Column:
    if isinstance(column, NumericColumn) and isinstance(counts, NumberCounts):
        return replace(column, counts=counts)
    if not isinstance(column, NumericColumn) and isinstance(counts, LevelCounts):
        return replace(column, stand_in=counts)
    raise TypeError(f"column {column.name!r} and its counts are of different kinds")
