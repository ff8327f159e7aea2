"""A clock that a test moves, and ids that repeat themselves."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from vigie.domain.prediction import EPOCH, MICROSECOND, uuid7
from vigie.domain.window import check_utc

START: Final = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
"""Where a fake clock stands when nobody says otherwise: a Monday morning."""


class FakeClock:
    """Implements ``ports.Clock``; stands still until it is moved, forwards or backwards."""

    def __init__(self, start: datetime = START) -> None:
        self._now = check_utc(start)

    def now(self) -> datetime:
        """Return where the clock stands, aware UTC."""
        return self._now

    def advance(self, seconds: float) -> datetime:
        """Move the clock by ``seconds``, negative for backwards, and return where it stands now."""
        self._now += timedelta(seconds=seconds)
        return self._now

    def set(self, moment: datetime) -> None:
        """Put the clock at ``moment``; ValueError when that has no zone."""
        self._now = check_utc(moment)


class FakeIds:
    """Implements ``ports.IdSource``: the same seed gives the same ids, ordered within a millisecond.

    Unlike the real source, an id's time is always exactly ``at``, so a test can also make ids that step back.
    """

    def __init__(self, seed: int = 0) -> None:
        if not 0 <= seed < 2**16:
            raise ValueError("a seed of fake ids has 16 bits")
        self._seed = seed
        self._n_given = 0
        self._lock = threading.Lock()

    def new_id(self, at: datetime) -> UUID:
        """Return the next id, with the time ``at``."""
        with self._lock:
            self._n_given += 1
            return uuid7(check_utc(at), self._seed.to_bytes(4, "big") + self._n_given.to_bytes(6, "big"))

    def take(self, at_us: int, n: int) -> list[bytes]:
        """Return the next ``n`` ids, with the time ``at_us``."""
        return [self.new_id(EPOCH + at_us * MICROSECOND).bytes for _ in range(n)]
