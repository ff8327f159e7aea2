"""A half-open stretch of time, in UTC."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self


def check_utc(moment: datetime) -> datetime:
    """Return ``moment`` in UTC; ValueError when it does not say its zone."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone; Vigie keeps aware UTC times only")
    return moment.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Window:
    """``[start, end)`` in UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        """Check both ends."""
        object.__setattr__(self, "start", check_utc(self.start))
        object.__setattr__(self, "end", check_utc(self.end))
        if self.end < self.start:
            raise ValueError(f"a window cannot end ({self.end}) before it starts ({self.start})")

    def __contains__(self, moment: datetime) -> bool:
        """Whether ``moment`` lies in ``[start, end)``."""
        return self.start <= check_utc(moment) < self.end

    @property
    def told(self) -> str:
        """From when to when, as text."""
        return f"{self.start:%Y-%m-%d %H:%M:%S} to {self.end:%Y-%m-%d %H:%M:%S} UTC"

    def split(self, step: timedelta) -> Iterator["Window"]:
        """Yield consecutive windows of length ``step``; the last one may be shorter.

        Raises:
            ValueError: ``step`` is not positive.
        """
        if step <= timedelta(0):
            raise ValueError("the step must be positive")
        start = self.start
        while start < self.end:
            end = min(start + step, self.end)
            yield Window(start, end)
            start = end

    def to_dict(self) -> dict[str, str]:
        """Return ISO 8601 strings."""
        return {"start": self.start.isoformat(), "end": self.end.isoformat()}

    @classmethod
    def from_dict(cls, data: Mapping[str, str]) -> Self:
        """Rebuild a window from ``to_dict``."""
        return cls(datetime.fromisoformat(data["start"]), datetime.fromisoformat(data["end"]))
