"""A number with all that an honest reader asks about it."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from vigie.domain.window import Window

LONGEST = 1e8
"""What is larger is not written in full."""


class Verdict(StrEnum):
    """What a rule says of a measurement. ``unknown`` means there is not enough data to say anything."""

    OK = "ok"
    UNKNOWN = "unknown"
    WARN = "warn"
    ALARM = "alarm"

    @staticmethod
    def worst(verdicts: Iterable["Verdict"]) -> "Verdict":
        """Return the gravest: alarm, warn, unknown, ok in this order; unknown when there is none."""
        order = list(Verdict)
        return max(verdicts, key=order.index, default=Verdict.UNKNOWN)


def digits(value: float) -> str:
    """Return four significant digits, or all before the point of what has five to eight of them."""
    return f"{value:,.0f}" if 10_000 <= abs(value) < LONGEST else f"{value:,.4g}"


@dataclass(frozen=True, slots=True)
class Interval:
    """A two-sided interval and the share of repetitions that would cover the truth."""

    low: float
    high: float
    level: float

    def to_dict(self) -> dict[str, float | None]:
        """Return plain JSON values."""
        return {"low": finite(self.low), "high": finite(self.high), "level": self.level}


@dataclass(frozen=True, slots=True)
class Measurement:
    """One number.

    Attributes:
        name: the quantity, e.g. ``psi``, ``roc_auc``, ``latency_p99``.
        value: the number; None when it could not be computed (``reason`` says why).
        unit: e.g. ``ms``, ``1`` for a share or a score, ``nats``, ``EUR/1000``.
        n: sample size it rests on.
        subject: the feature or class it speaks of; None for the whole.
        interval: its uncertainty, where it was computed.
        reason: one sentence, where the number needs one.
        window: what it was taken over, where that is not told by what holds it; without length for one moment.
    """

    name: str
    value: float | None
    unit: str
    n: int
    subject: str | None = None
    interval: Interval | None = None
    reason: str = ""
    window: Window | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; never NaN. Only a number with a window of its own has that key."""
        return {
            "name": self.name,
            "subject": self.subject,
            "value": finite(self.value),
            "unit": self.unit,
            "n": self.n,
            "interval": self.interval.to_dict() if self.interval else None,
            "reason": self.reason,
            **({"window": self.window.to_dict()} if self.window else {}),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild a measurement from ``to_dict``."""
        interval, window = data["interval"], data.get("window")
        return cls(
            name=data["name"],
            value=data["value"],
            unit=data["unit"],
            n=data["n"],
            subject=data.get("subject"),
            interval=Interval(**interval) if interval else None,
            reason=data.get("reason", ""),
            window=Window.from_dict(window) if window else None,
        )


def finite(value: float | None) -> float | None:
    """Return ``value``, or None where JSON has no word for it (NaN, infinities)."""
    return value if value is not None and math.isfinite(value) else None
