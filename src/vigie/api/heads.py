"""What the header of a plain request comes to: all that the fast path asks of it, worked out once.

Clients that keep a connection send the same header again and again, and reading it costs more than the model. So it is
read with care the first time, and the same bytes mean the same the next time; see ``connection``.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from msgspec import Struct

from vigie.api.access import host_name
from vigie.api.exchange import HEADER as REQUEST_ID
from vigie.api.retries import HEADER as RETRY

PLAIN_TYPES = frozenset({b"application/json", b"application/json; charset=utf-8", b"application/json;charset=utf-8"})
"""Content types as clients usually write them; the twin understands the others."""

UNUSUAL = frozenset({b"content-encoding", b"expect", b"origin", b"sec-fetch-site"})
"""Headers that ask for something else than an answer to the body as it is, or that say that a browser asks."""

MAX_KNOWN_HOSTS = 64


class Head(Struct, frozen=True):
    """A header about which nothing needs a second look.

    Attributes:
        path: of a route that the fast path answers.
        authorization: the header of that name; whether it opens anything is asked for every request.
        request_id: what the client calls the request.
        retry: the Idempotency-Key.
        n_body: declared bytes of the body, None when the client does not say.
    """

    path: str
    authorization: bytes | None
    request_id: bytes | None
    retry: bytes | None
    n_body: int | None


class HeadReader:
    """Reads headers.

    Args:
        hosts: names (lower case, without port) that requests may be addressed to; None for any.
        max_body_bytes: larger bodies are for the twin to refuse.
    """

    def __init__(self, hosts: AbstractSet[str] | None, max_body_bytes: int) -> None:
        self._hosts = hosts
        self._max_body_bytes = max_body_bytes
        self._known_hosts: set[bytes] = set()

    def read(self, path: str, pairs: Sequence[tuple[bytes, bytes]]) -> Head | None:
        """Return what a header comes to, None when the twin should look at it.

        Args:
            path: of the request.
            pairs: names in lower case, and values.
        """
        headers = dict(pairs)
        declared = headers.get(b"content-length")
        plain = (
            len(headers) == len(pairs)
            and headers.get(b"content-type") in PLAIN_TYPES
            and self._is_known(headers.get(b"host", b""))
            and (declared is None or (declared.isdigit() and int(declared) <= self._max_body_bytes))
            and UNUSUAL.isdisjoint(headers)
        )
        if not plain:
            return None
        return Head(
            path,
            headers.get(b"authorization"),
            headers.get(REQUEST_ID),
            headers.get(RETRY),
            None if declared is None else int(declared),
        )

    def _is_known(self, host: bytes) -> bool:
        if host in self._known_hosts:
            return True
        known = bool(host) and (self._hosts is None or host_name(host.decode("latin-1")) in self._hosts)
        if known and len(self._known_hosts) < MAX_KNOWN_HOSTS:
            self._known_hosts.add(host)
        return known
