"""The machine's clock, and the prediction ids that are made from it."""

import os
import threading
from datetime import UTC, datetime
from uuid import UUID

from vigie.domain.prediction import uuid7
from vigie.domain.window import check_utc

_COUNTER_BITS = 73  # a version 7 UUID has 74 free bits; the first id of a millisecond leaves the top one clear
_STEP_BYTES = 6  # 2**48 per step at most: 2**25 ids fit in one millisecond, and the next id cannot be guessed


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
        self._latest = datetime.min.replace(tzinfo=UTC)
        self._counter = 0

    def new_id(self, at: datetime) -> UUID:
        """Return a fresh version 7 UUID whose time is ``at``, or the latest time seen when ``at`` lies before it."""
        moment = check_utc(at)
        moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
        with self._lock:
            if moment > self._latest:
                self._latest = moment
                self._counter = int.from_bytes(os.urandom(10), "big") >> (80 - _COUNTER_BITS)
            else:
                self._counter += 1 + int.from_bytes(os.urandom(_STEP_BYTES), "big")
            return uuid7(self._latest, _spread(self._counter))


def _spread(counter: int) -> bytes:
    """Return ten bytes with 74 bits of ``counter`` around the version and variant bits, which ``uuid7`` sets."""
    high, low = counter >> 62, counter & ((1 << 62) - 1)
    return (high << 64 | low).to_bytes(10, "big")
