"""What a benchmark found: measures with their spread over rounds, and gates judged by their worst quartile."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import isfinite
from statistics import quantiles
from typing import Any


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle half of some values."""

    low: float
    median: float
    high: float

    def to_dict(self) -> dict[str, float]:
        """Return the three, by name."""
        return {"low": self.low, "median": self.median, "high": self.high}


def spread(values: Sequence[float]) -> Spread:
    """Return the quartiles of ``values``, linear between neighbours; a single value is all three.

    Args:
        values: at least one, finite.

    Raises:
        ValueError: there is none, or one is no finite number: it would pass for a measurement.

    Source:
        Hyndman & Fan (1996), definition 7, which is numpy's default.
    """
    if not values or not all(isfinite(value) for value in values):
        raise ValueError(f"quartiles need finite values, at least one, and got {list(values)}")
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    return Spread(*quantiles(values, n=4, method="inclusive"))


class Status(StrEnum):
    """Whether an engine could be measured."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Measure:
    """One quantity of one engine, with its value in every round that gave one."""

    name: str
    unit: str
    values: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the quartiles and every single value, so that a reader can compute something else."""
        return {
            "name": self.name,
            "unit": self.unit,
            "n": len(self.values),
            **spread(self.values).to_dict(),
            "values": list(self.values),
        }


@dataclass(frozen=True, slots=True)
class Result:
    """One engine on one case.

    Attributes:
        case: what it was measured on.
        engine: who.
        status: ``failed`` when any round failed: half of a result is none.
        measures: empty unless ``status`` is ``ok``.
        why: for people, when it failed or was skipped.
        notes: what a reader should know of a result that is fine.
    """

    case: str
    engine: str
    status: Status
    measures: tuple[Measure, ...] = ()
    why: str = ""
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {
            "case": self.case,
            "engine": self.engine,
            "status": self.status.value,
            "why": self.why,
            "notes": list(self.notes),
            "measures": [measure.to_dict() for measure in self.measures],
        }


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound and the side on which one wants to be; exactly one of the two is given."""

    unit: str
    at_most: float | None = None
    at_least: float | None = None

    def __post_init__(self) -> None:
        """Refuse a goal without a bound, or with two."""
        if (self.at_most is None) == (self.at_least is None):
            raise ValueError("a goal has one bound: at_most or at_least")

    def met_by(self, found: Spread) -> bool:
        """Whether the worse quartile is on the right side of the bound."""
        if self.at_most is not None:
            return found.high <= self.at_most
        return self.at_least is not None and found.low >= self.at_least

    def to_dict(self) -> dict[str, Any]:
        """Return ``{"at_most": …, "unit": …}`` or ``{"at_least": …, "unit": …}``."""
        side = {"at_least": self.at_least} if self.at_most is None else {"at_most": self.at_most}
        return {**side, "unit": self.unit}


@dataclass(frozen=True, slots=True)
class Gate:
    """What was asked, and what every round answered.

    Attributes:
        name: what is judged.
        goal: where it should lie.
        values: one a round; None where a round could not tell, e.g. because a peer failed.
    """

    name: str
    goal: Goal
    values: tuple[float | None, ...]

    @property
    def found(self) -> Spread | None:
        """The quartiles; None unless every round gave a value: a failed peer must not make a goal easier."""
        known = [value for value in self.values if value is not None]
        return spread(known) if known and len(known) == len(self.values) else None

    @property
    def met(self) -> bool | None:
        """Whether the worse quartile meets the goal; None when it cannot be judged."""
        return None if self.found is None else self.goal.met_by(self.found)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        found = {"low": None, "median": None, "high": None} if self.found is None else self.found.to_dict()
        return {"name": self.name, "goal": self.goal.to_dict(), **found, "met": self.met}


@dataclass(frozen=True, slots=True)
class Findings:
    """All that a run found.

    Attributes:
        rounds: how many there were.
        results: one per case and engine.
        gates: the goals of the release.
        versions: what was measured, per environment: ``{"environment": {"package": "version"}}``.
    """

    rounds: int
    results: tuple[Result, ...]
    gates: tuple[Gate, ...]
    versions: dict[str, dict[str, str]] = field(default_factory=dict)
