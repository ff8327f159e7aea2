"""One connection of a client: how long it may take, and how long its header may be.

uvicorn waits for ever for a request that has begun. Here a header has ten seconds, a body thirty, and a client that
does not read its answer thirty; a trickle of bytes buys no time. What the protocol itself refuses is a problem, too.
"""

import asyncio
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from vigie.api.errors import Meaning, problem

HEADER_S = 10.0
BODY_S = 30.0
READING_S = 30.0

MAX_HEAD_BYTES = 16_384
MAX_URL_BYTES = 8_192
MAX_HEADERS = 100

TIMEOUT = Meaning(408, "request-timeout", "The request took too long to arrive")
HEAD_TOO_LARGE = Meaning(431, "headers-too-large", "The header is too large")
URL_TOO_LONG = Meaning(414, "uri-too-long", "The address is too long")
NOT_HTTP = Meaning(400, "malformed-request", "This is not an HTTP request")


class Connection(HttpToolsProtocol):
    """uvicorn's connection, with an end to its patience; ``sweep`` is called about once a second."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._began_at: float | None = None  # when the request began that is not all here yet
        self._paused_at: float | None = None  # when the client stopped reading
        self._n_head_bytes = 0
        self._has_head = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        """Start the time of the first request."""
        super().connection_made(transport)
        self._began_at = self.loop.time()

    def data_received(self, data: bytes) -> None:
        """Note when a request begins, and how long its header is."""
        if self._began_at is None:
            self._began_at = self.loop.time()
        if not self._has_head:
            self._n_head_bytes += len(data)
        super().data_received(data)
        if not self._has_head and self._n_head_bytes > MAX_HEAD_BYTES and self._began_at is not None:
            self._refuse(HEAD_TOO_LARGE)

    def on_headers_complete(self) -> None:
        """Start the request, unless its header is too large."""
        self._has_head = True
        refusal = self._refusal() if self._n_head_bytes > MAX_URL_BYTES or len(self.headers) > MAX_HEADERS else None
        if refusal is None:
            super().on_headers_complete()
            return
        app, self.app = self.app, problem(refusal, headers={"Connection": "close"})
        try:
            super().on_headers_complete()
        finally:
            self.app = app

    def on_message_complete(self) -> None:
        """Note that all of the request is here."""
        self._began_at = None
        self._has_head = False
        self._n_head_bytes = 0
        super().on_message_complete()

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
        if self._paused_at is not None and now - self._paused_at > READING_S:
            self.transport.abort()
        elif self._began_at is not None and now - self._began_at > (BODY_S if self._has_head else HEADER_S):
            if self._n_head_bytes and (self.cycle is None or not self.cycle.response_started or not self._has_head):
                self._refuse(TIMEOUT)
            else:
                self.transport.close()  # it never said a word, or has its answer

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
