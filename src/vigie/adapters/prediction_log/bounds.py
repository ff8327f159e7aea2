"""From a window of time to the ids that can lie in it: the id index is the time index."""

from typing import Any, Final

from vigie.adapters.sqlite.moments import microseconds
from vigie.domain.window import Window

_TAIL_BITS: Final = 80  # of a version 7 UUID, below its 48 bits of milliseconds
_LAST_MS: Final = 2**48 - 1


def window_bounds(window: Window, skew_ms: int) -> dict[str, Any]:
    """Return the times of a window, ``start`` and ``end``, and its ids: beyond ``after``, up to ``last``."""
    start, end = microseconds(window.start), microseconds(window.end)
    first_ms = min(max(start // 1000 - skew_ms, 0), _LAST_MS)
    before = (first_ms << _TAIL_BITS) - 1  # the read begins after an id, so that chunks can go on where one ended
    after = before.to_bytes(16, "big") if before >= 0 else b""
    return {"start": start, "end": end, "after": after, "last": last_id(end, skew_ms)}


def last_id(before_us: int, skew_ms: int) -> bytes:
    """Return the greatest id that a prediction made before a time can have."""
    last_ms = min(max(before_us // 1000 + skew_ms, 0), _LAST_MS)
    return ((last_ms << _TAIL_BITS) | (1 << _TAIL_BITS) - 1).to_bytes(16, "big")


def id_ms(prediction_id: bytes) -> int:
    """Return the time inside a version 7 UUID, milliseconds since 1970."""
    return int.from_bytes(prediction_id[:6], "big")
