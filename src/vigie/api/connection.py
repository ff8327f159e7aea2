"""One connection of a client: how long it may take, and how long its header may be.

uvicorn waits for ever for a request that has begun. Here a header has ten seconds, a body thirty, and a client that
does not read its answer thirty; a trickle of bytes buys no time. What the protocol itself refuses is a problem, too.

Small requests are asked of the fast path directly, without a task, an event and two messages for each: these cost more
than the answer. What it does not take at once goes uvicorn's way, as if it had just arrived.
"""

import asyncio
import math
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from vigie.api.errors import Meaning, problem
from vigie.api.fast import FastPath

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
TIMEOUT = Meaning(408, "request-timeout", "The request took too long to arrive")
HEAD_TOO_LARGE = Meaning(431, "headers-too-large", "The header is too large")
URL_TOO_LONG = Meaning(414, "uri-too-long", "The address is too long")
NOT_HTTP = Meaning(400, "malformed-request", "This is not an HTTP request")


class _Cycle:
    """Stands where uvicorn keeps the cycle of a request, while the fast path answers it."""

    __slots__ = ("disconnected", "keep_alive", "response_complete", "response_started")

    message_event = asyncio.Event()  # uvicorn sets it; nobody waits

    def __init__(self, *, keep_alive: bool) -> None:
        self.keep_alive = keep_alive
        self.disconnected = False
        self.response_started = False
        self.response_complete = False


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
        self._fast = self.app if isinstance(self.app, FastPath) else None
        self._held: bytes | None = None  # the body so far of a request that the fast path may answer
        self._idle_since: float | None = None  # after an answer of the fast path

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        """Start the time of the first request."""
        super().connection_made(transport)
        self._began_at = self.loop.time()
        if len(self.connections) > self._max_connections:
            self._is_one_too_many = True
            self._count_refused()
            if len(self.connections) > self._max_connections + MAX_TOLD:
                transport.abort()

    def data_received(self, data: bytes) -> None:
        """Note when a request begins, and how long its header is."""
        if self._is_one_too_many:
            self._refuse(CROWDED)  # now, not before: a client that is still writing would not read it
            return
        self._idle_since = None
        if self._began_at is None:
            self._began_at = self.loop.time()
        if not self._has_head:
            self._n_head_bytes += len(data)
        super().data_received(data)
        if not self._has_head and self._n_head_bytes > MAX_HEAD_BYTES and self._began_at is not None:
            self._refuse(HEAD_TOO_LARGE)
        if self._held is not None and self._announces_much():
            self._hand_on()  # what is too large is refused before it is here

    def on_headers_complete(self) -> None:
        """Start the request, unless its header is too large."""
        self._has_head = True
        refusal = self._refusal() if self._n_head_bytes > MAX_URL_BYTES or len(self.headers) > MAX_HEADERS else None
        if refusal is None:
            if self._is_direct():
                self._held = b""
                self.cycle = None  # type: ignore[assignment]  # the one before has ended
            else:
                super().on_headers_complete()
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
        if self._held is not None:
            if self._ask(self._held):
                self._held = None
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

    def _is_direct(self) -> bool:
        """Whether the fast path may answer this request: alone, and without uvicorn's services."""
        idle = self.cycle is None or self.cycle.response_complete
        unusual = self.expect_100_continue or self.flow.write_paused or self.parser.should_upgrade()
        return self._fast is not None and idle and not unusual and self.parser.get_method() == b"POST"

    def _announces_much(self) -> bool:
        """Whether the body that has not arrived yet is too large for the fast path, by the request's own word."""
        return int(dict(self.headers).get(b"content-length", b"0")) > MAX_DIRECT_BYTES

    def _ask(self, body: bytes) -> bool:
        """Ask the fast path; return whether it will answer."""
        path, _, query = self.url.partition(b"?")
        if self._fast is None or query or self.root_path:
            return False
        scope: Any = self.scope
        scope["method"], scope["path"] = "POST", path.decode("latin-1")
        cycle = _Cycle(keep_alive=self.parser.get_http_version() == "1.1" and self.parser.should_keep_alive())
        if not self._fast.ask(scope, body, partial(self._tell, cycle)):
            return False
        self.cycle = cycle  # type: ignore[assignment]  # all that uvicorn asks of one
        return True

    def _hand_on(self) -> None:
        """Let uvicorn have the request that was held back."""
        held, self._held = self._held, None
        super().on_headers_complete()
        if held:
            super().on_body(held)

    def _tell(self, cycle: _Cycle, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        """Send an answer of the fast path."""
        cycle.response_started = cycle.response_complete = True
        if cycle.disconnected or self.transport.is_closing():
            return
        lines = [STATUS_LINE[status]]
        for name, value in (*self.server_state.default_headers, *headers):
            lines += (name, b": ", value, b"\r\n")
        lines.append(b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n")
        lines.append(body)
        self.transport.write(b"".join(lines))
        if not cycle.keep_alive:
            self.transport.close()
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
        if self.transport.is_closing():
            return
        response = problem(meaning, headers={"Connection": "close"})
        head = "".join(f"{name.decode()}: {value.decode()}\r\n" for name, value in response.raw_headers)
        status = f"HTTP/1.1 {meaning.status} {HTTPStatus(meaning.status).phrase}\r\n"
        self.transport.write(f"{status}{head}\r\n".encode() + bytes(response.body))
        self.transport.close()
