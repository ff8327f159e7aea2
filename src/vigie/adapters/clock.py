"""The machine's clock, and the prediction ids that are made from it."""

import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from struct import Struct
from uuid import UUID

from vigie.domain.prediction import EPOCH, MICROSECOND
from vigie.domain.window import check_utc

_COUNTER_BITS = 73  # a version 7 UUID has 74 free bits; the first id of a millisecond leaves the top one clear
_STEP_BITS = 48  # 2**48 per step at most: 2**25 ids fit in one millisecond, and the next id cannot be guessed
_STEPS = Struct("1024Q")  # so many at once
_LOW = (1 << 62) - 1
_VERSION_AND_VARIANT = 0x7 << 76 | 0x2 << 62


class SystemClock:
    """The time of this machine."""

    def now(self) -> datetime:
        """Return the present, aware UTC."""
        return datetime.now(UTC)


class RandomIds:
    """Version 7 UUIDs from the system's randomness, each greater than the one before it in this process.

    Ids sort as answers were given, also within a millisecond and also when the clock steps back: then ids keep the
    latest time seen until the clock has caught up, while the record itself says what the clock said. Within one
    millisecond each id adds a random 48-bit step to the one before.

    Source:
        RFC 9562, section 6.2, method 2.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest_ms = -1
        self._counter = 0
        self._fixed = _VERSION_AND_VARIANT
        self._random: Iterator[int] = iter(())

    def new_id(self, at: datetime) -> UUID:
        """Return a fresh version 7 UUID whose time is ``at``, or the latest time seen when ``at`` lies before it."""
        return UUID(bytes=self.take((check_utc(at) - EPOCH) // MICROSECOND, 1)[0])

    def take(self, at_us: int, n: int) -> list[bytes]:
        """Return ``n`` fresh version 7 UUIDs as bytes, each greater than the one before."""
        milliseconds = at_us // 1000
        with self._lock:
            if milliseconds > self._latest_ms:
                self._latest_ms = milliseconds
                self._fixed = milliseconds << 80 | _VERSION_AND_VARIANT
                self._counter = (
                    self._step() << _COUNTER_BITS - _STEP_BITS | self._step() >> 2 * _STEP_BITS - _COUNTER_BITS
                )
            fixed, counter, made = self._fixed, self._counter, []
            for _ in range(n):
                counter += 1 + self._step()
                # 74 bits of counter stand around the version and the variant
                made.append((fixed | (counter >> 62) << 64 | counter & _LOW).to_bytes(16, "big"))
            self._counter = counter
        return made

    def _step(self) -> int:
        """Return 48 random bits, taken from the system by the thousand: asking each time costs more than the id."""
        step = next(self._random, None)
        if step is None:
            self._random = iter(_STEPS.unpack(os.urandom(_STEPS.size)))
            step = next(self._random)
        return step >> 64 - _STEP_BITS
