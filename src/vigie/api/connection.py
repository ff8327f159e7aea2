"""One connection of a client: how long it may take, and how long its header may be.

uvicorn waits for ever for a request that has begun. Here a header has ten seconds, a body thirty, and a client that
does not read its answer thirty; a trickle of bytes buys no time. What the protocol itself refuses is a problem, too.

Small requests are asked of the fast path directly, without a task, an event and two messages for each: these cost more
than the answer. What it does not take at once goes uvicorn's way, as if it had just arrived. And what the header of
such a request came to is remembered while the connection lasts: between two messages the parser's verdict depends on
nothing but the bytes, so the same bytes need not be parsed again.
"""

import asyncio
import math
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from vigie.api.door import VERDICT, Caller, Verdict
from vigie.api.errors import Meaning, problem
from vigie.api.fast import FastPath, header_lines
from vigie.api.heads import Head

HEADER_S = 10.0
BODY_S = 30.0
READING_S = 30.0

MAX_HEAD_BYTES = 16_384
MAX_URL_BYTES = 8_192
MAX_HEADERS = 100

MAX_DIRECT_BYTES = 65_536
"""Larger bodies are worth a task."""

MAX_TOLD = 100
"""Connections beyond the most that may be open which are still told so; further ones are cut off without a word."""

TOLD_S = 1.0
"""How long one of these may take to begin its request."""

CROWDED = Meaning(503, "too-many-connections", "Too many connections are open")
MAX_HEADS = 16
"""Headers that a connection remembers: those of one client differ in the length of the body, if in anything."""

MAX_REMEMBERED_BYTES = 1_024
"""Longer headers are parsed every time."""

END_OF_HEAD = b"\r\n\r\n"

TIMEOUT = Meaning(408, "request-timeout", "The request took too long to arrive")
HEAD_TOO_LARGE = Meaning(431, "headers-too-large", "The header is too large")
URL_TOO_LONG = Meaning(414, "uri-too-long", "The address is too long")
NOT_HTTP = Meaning(400, "malformed-request", "This is not an HTTP request")


class _Cycle:
    """Stands where uvicorn keeps the cycle of a request, while the fast path answers it; one a connection."""

    __slots__ = ("disconnected", "keep_alive", "response_complete", "response_started")

    message_event = asyncio.Event()  # uvicorn sets it; nobody waits

    def __init__(self) -> None:
        self.keep_alive = True
        self.disconnected = False
        self.response_started = False
        self.response_complete = False


class _Defaults:
    """uvicorn's own headers of every answer, as they travel. It makes a new list of them every second."""

    def __init__(self) -> None:
        self._latest: tuple[object, bytes] = (None, b"")

    def lines(self, headers: list[tuple[bytes, bytes]]) -> bytes:
        latest = self._latest
        if latest[0] is not headers:
            latest = self._latest = (headers, header_lines(headers))
        return latest[1]


_DEFAULTS = _Defaults()


class Connection(HttpToolsProtocol):
    """uvicorn's connection, with an end to its patience; ``sweep`` is called about once a second."""

    def __init__(
        self, *arguments: Any, max_connections: float = math.inf, refused: Callable[[], object] = int, **named: Any
    ) -> None:
        super().__init__(*arguments, **named)
        self._max_connections = max_connections
        self._count_refused = refused
        self._is_one_too_many = False
        self._began_at: float | None = None  # when the request began that is not all here yet
        self._paused_at: float | None = None  # when the client stopped reading
        self._n_head_bytes = 0
        self._has_head = False
        self._is_between = True  # the parser holds no part of a message
        self._fast = self.app if isinstance(self.app, FastPath) and not self.root_path else None
        self._address = ""
        self._own = _Cycle()
        self._head: Head | None = None  # of the latest request that the fast path may answer
        self._held: bytes | None = None  # its body so far, while it is not all here
        self._verdict: Verdict | None = None  # the door's, on a request that the fast path declined
        self._heads: dict[bytes, Head] = {}  # by the bytes that the parser read them from
        self._idle_since: float | None = None  # after an answer of the fast path

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        """Start the time of the first request."""
        super().connection_made(transport)
        self._address = self.client[0] if self.client else ""
        self._began_at = self.loop.time()
        if len(self.connections) > self._max_connections:
            self._is_one_too_many = True
            self._count_refused()
            if len(self.connections) > self._max_connections + MAX_TOLD:
                transport.abort()

    def data_received(self, data: bytes) -> None:
        """Answer a request like one before, or have it parsed; note when it begins, and how long its header is."""
        if self._is_one_too_many:
            self._refuse(CROWDED)  # now, not before: a client that is still writing would not read it
            return
        self._idle_since = None
        was_between = self._is_between
        if was_between:
            if self._heads and self._ask_again(data):
                return
            self._head = None
        if self._began_at is None:
            self._began_at = self.loop.time()
        if not self._has_head:
            self._n_head_bytes += len(data)
        super().data_received(data)
        if was_between and self._is_between and self._head is not None:
            self._remember(data, self._head)
        if not self._has_head and self._n_head_bytes > MAX_HEAD_BYTES and self._began_at is not None:
            self._refuse(HEAD_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Note that the parser holds a part of a message."""
        self._is_between = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Start the request, unless its header is too large."""
        self._has_head = True
        refusal = self._refusal() if self._n_head_bytes > MAX_URL_BYTES or len(self.headers) > MAX_HEADERS else None
        if refusal is None:
            self._head = None if self._verdict is not None else self._direct_head()
            if self._head is None:
                self._hand_on()
            else:
                self._held = b""
                self.cycle = None  # type: ignore[assignment]  # the one before has ended
            return
        app, self.app = self.app, problem(refusal, headers={"Connection": "close"})
        try:
            super().on_headers_complete()
        finally:
            self.app = app

    def on_body(self, body: bytes) -> None:
        """Hold a small body back, for the fast path."""
        if self._held is None:
            super().on_body(body)
            return
        self._held += body
        if len(self._held) > MAX_DIRECT_BYTES:
            self._hand_on()

    def on_message_complete(self) -> None:
        """Note that all of the request is here, and have it answered."""
        self._began_at = None
        self._has_head = False
        self._n_head_bytes = 0
        self._is_between = True
        if self._head is not None and self._held is not None:
            keep_alive = self.parser.get_http_version() == "1.1" and self.parser.should_keep_alive()
            if self._ask(self._head, self._held, keep_alive=keep_alive):
                self._held = None
                self._head = self._head if keep_alive else None
                return
            self._hand_on()
        super().on_message_complete()

    def shutdown(self) -> None:
        """Let the request that is under way be the last."""
        if self._held is not None:
            self._hand_on()
        super().shutdown()

    def pause_writing(self) -> None:
        """Note that the client does not read."""
        self._paused_at = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        """Note that it reads again."""
        self._paused_at = None
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's signature
        """Refuse what is not HTTP."""
        self._refuse(NOT_HTTP)

    def sweep(self, now: float) -> None:
        """End this connection if its client takes too long.

        Args:
            now: by the event loop's clock.
        """
        if self._is_one_too_many and self._began_at is not None and now - self._began_at > TOLD_S:
            self.transport.abort()
        elif self._idle_since is not None and now - self._idle_since > self.timeout_keep_alive:
            self.transport.close()
        elif self._paused_at is not None and now - self._paused_at > READING_S:
            self.transport.abort()
        elif self._began_at is not None and now - self._began_at > (BODY_S if self._has_head else HEADER_S):
            if self._n_head_bytes and (self.cycle is None or not self.cycle.response_started or not self._has_head):
                self._refuse(TIMEOUT)
            else:
                self.transport.close()  # it never said a word, or has its answer

    def _is_busy(self) -> bool:
        """Whether a request is under way, or an answer cannot leave."""
        under_way = self.cycle is not None and not self.cycle.response_complete
        return under_way or self._paused_at is not None

    def _direct_head(self) -> Head | None:
        """Return the header of a request that the fast path may answer: alone, and without uvicorn's services."""
        if self._fast is None or self._is_busy() or self.expect_100_continue or self.parser.should_upgrade():
            return None
        if self.parser.get_method() != b"POST":
            return None
        return self._fast.read_head(self.url.decode("latin-1"), self.headers)  # a query or an escape is no path of it

    def _remember(self, data: bytes, head: Head) -> None:
        """Keep what a header came to, when ``data`` was that header and its body, and nothing else."""
        end = data.find(END_OF_HEAD) + len(END_OF_HEAD)
        if len(data) - end == head.n_body and end <= MAX_REMEMBERED_BYTES and head.request_id is None:
            if len(self._heads) >= MAX_HEADS:
                self._heads.clear()
            self._heads[data[:end]] = head

    def _ask_again(self, data: bytes) -> bool:
        """Have a request answered whose header is known; False leaves it to the parser."""
        end = data.find(END_OF_HEAD) + len(END_OF_HEAD)
        head = self._heads.get(data[:end])
        if head is None or len(data) - end != head.n_body or self._is_busy():
            return False
        self._unset_keepalive_if_required()
        return self._ask(head, data[end:], keep_alive=True)

    def _ask(self, head: Head, body: bytes, *, keep_alive: bool) -> bool:
        """Ask the fast path; return whether it will answer."""
        fast, own = self._fast, self._own
        if fast is None:
            return False
        verdict = fast.admit(head, self._address)
        if not isinstance(verdict, Caller) or not fast.ask(head, body, verdict, self._tell):
            self._verdict = verdict
            return False
        own.keep_alive = keep_alive
        own.response_started = own.response_complete = False
        self.cycle = own  # type: ignore[assignment]  # all that uvicorn asks of one
        return True

    def _hand_on(self) -> None:
        """Let uvicorn have a request, with what was held of its body, and with what the door said of it."""
        held, self._held = self._held, None
        verdict, self._verdict = self._verdict, None
        if verdict is not None:
            self.scope[VERDICT] = verdict  # type: ignore[literal-required]  # as an ASGI layer may
        self._head = None
        super().on_headers_complete()
        if held:
            super().on_body(held)

    def _tell(self, status: int, lines: bytes, body: bytes) -> None:
        """Send an answer of the fast path."""
        own, transport = self._own, self.transport
        own.response_started = own.response_complete = True
        if own.disconnected or transport.is_closing():
            return
        end = b"\r\n" if own.keep_alive else b"connection: close\r\n\r\n"
        defaults = _DEFAULTS.lines(self.server_state.default_headers)
        transport.write(b"".join((STATUS_LINE[status], defaults, lines, end, body)))
        if not own.keep_alive:
            transport.close()
        if self.pipeline:
            self.on_response_complete()
        else:  # as uvicorn does, but ``sweep`` looks after the idle: a timer costs as much as a score
            self.server_state.total_requests += 1
            self._idle_since = self.loop.time()

    def _refusal(self) -> Meaning | None:
        if len(self.url) > MAX_URL_BYTES:
            return URL_TOO_LONG
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        return HEAD_TOO_LARGE if size > MAX_HEAD_BYTES or len(self.headers) > MAX_HEADERS else None

    def _refuse(self, meaning: Meaning) -> None:
        """Answer past the application, and close."""
        if not self.transport.is_closing():
            self.transport.write(_refusal_of(meaning))
            self.transport.close()


@cache
def _refusal_of(meaning: Meaning) -> bytes:
    """Return a whole answer; made once, because a crowd is refused by the thousand."""
    response = problem(meaning, headers={"Connection": "close"})
    head = "".join(f"{name.decode()}: {value.decode()}\r\n" for name, value in response.raw_headers)
    status = f"HTTP/1.1 {meaning.status} {HTTPStatus(meaning.status).phrase}\r\n"
    return f"{status}{head}\r\n".encode() + bytes(response.body)
