"""One request and its answer, as the server's log tells them: an id, and one line without a value of anybody.

The id is the client's, when it is one that a log may hold; else it is made here. It travels back in the answer.
"""

import logging
import re
from collections.abc import Iterable
from contextvars import ContextVar
from itertools import count
from secrets import token_hex

HEADER = b"x-request-id"

REQUEST_ID: ContextVar[str] = ContextVar("vigie_request_id", default="")
"""The request that is being answered, for every line that is logged meanwhile."""

ANSWER_HEADERS = [(b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store")]
"""What every answer says: it is what it says it is, and it is for whoever asked."""

PAGE_HEADERS = [
    (b"content-security-policy", b"default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
"""What answers say that a browser may show: no script in a page, no frame of another site around it."""

_ACCEPTED = re.compile(rb"[A-Za-z0-9._~:/+=@-]{1,128}")
_PREFIX = token_hex(6).encode()
_numbers = count(1)
_log = logging.getLogger("vigie.requests")


def accepted(given: bytes | None) -> bytes:
    """Return the id of a request.

    Args:
        given: what the client calls it; one with characters that a log should not hold is replaced.
    """
    if given is not None and _ACCEPTED.fullmatch(given):
        return given
    return b"%b-%x" % (_PREFIX, next(_numbers))


def begin(given: bytes | None) -> bytes:
    """Return the id of a request, as ``accepted`` does, and make it the one that is being answered."""
    request_id = accepted(given)
    REQUEST_ID.set(request_id.decode())
    return request_id


def told(route: str, method: str, status: str, seconds: float, key_id: str, request_id: bytes | None = None) -> None:
    """Log one answered request, where the server logs requests.

    Args:
        route: its path from the closed set that metrics use; like the next two, no text of the client's.
        method: idem.
        status: of the answer.
        seconds: it took.
        key_id: who asked; empty without a key.
        request_id: its id, where it is not the one that is being answered.
    """
    if not _log.isEnabledFor(logging.INFO):
        return
    if request_id is not None:
        REQUEST_ID.set(request_id.decode())
    fields = {"route": route, "method": method, "status": status, "duration_ms": round(seconds * 1e3, 3)}
    _log.info("%s %s %s in %.1f ms", method, route, status, seconds * 1e3, extra={"vigie": {**fields, "key": key_id}})


def complete(present: Iterable[tuple[bytes, bytes]], request_id: bytes) -> list[tuple[bytes, bytes]]:
    """Return an answer's headers with those that every answer has; what it says itself stays."""
    headers = list(present)
    names = {name.lower() for name, _ in headers}
    headers += [pair for pair in (*ANSWER_HEADERS, *PAGE_HEADERS) if pair[0] not in names]
    headers.append((HEADER, request_id))
    return headers
