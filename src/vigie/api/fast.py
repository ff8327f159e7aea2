"""The way of plain predictions: the outermost ASGI callable, without a framework.

It takes a request whose headers and body are right at first sight. Anything else (another route, an unusual header, a
body with a fault) is handed, whole, to the framework's twin of the route, which finds the words: there is one place
that refuses, and the two ways cannot drift apart.
"""

from collections.abc import Callable, Iterable
from functools import partial
from time import perf_counter
from typing import NamedTuple

from msgspec import Struct
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vigie.api import exchange
from vigie.api.answering import INVOCATIONS, PREDICTIONS, Answering, Served, Shape
from vigie.api.door import VERDICT, Caller, Verdict, address_of, caller_of
from vigie.api.errors import on_failure
from vigie.api.heads import Head, HeadReader
from vigie.api.protocols.invocations import quick_rows
from vigie.api.retries import read_retry
from vigie.api.service import Service
from vigie.api.telemetry import Telemetry
from vigie.domain.access import KeyScope
from vigie.errors import StorageError
from vigie.inference.decoding import RowDecoder
from vigie.inference.payload import Rows

Quick = Callable[[RowDecoder, bytes, int], Rows | None]
"""Reads a body under a schema, at most so many rows; None when the twin should look at it."""


class Route(NamedTuple):
    """How a path reads plain bodies and writes answers."""

    quick: Quick
    shape: Shape


Tell = Callable[[int, bytes, bytes], None]
"""Takes an answer: status, header lines as they travel, body."""


class _Asked(Struct):
    """A request that is being answered without a task."""

    path: str
    request_id: bytes
    who: str
    served: Served
    rows: Rows
    started_at: float
    tell: Tell
    body: bytes = b""


ROUTES = {
    "/predict": Route(lambda decoder, body, most: decoder.decode(body, max_rows=most), PREDICTIONS),
    "/invocations": Route(lambda decoder, body, most: quick_rows(decoder, body, max_rows=most), INVOCATIONS),
}

BYTES_OF_A_ROW = 2
"""The shortest row is ``{}``: a shorter body cannot hold many."""


class FastPath:
    """Answers plain predictions itself, and passes everything else on.

    Args:
        app: the whole application; it also answers ``/predict``.
        service: collaborators and limits.
        answering: what both ways share.
        telemetry: where requests are counted.
    """

    def __init__(self, app: ASGIApp, service: Service, answering: Answering, telemetry: Telemetry) -> None:
        self._app = app
        self._service = service
        self._answering = answering
        self._telemetry = telemetry
        self._heads = HeadReader(service.hosts, service.limits.max_body_bytes)
        self._headers = [
            (b"content-type", b"application/json"),
            (b"vigie-log", service.writer.mode.encode()),
            *exchange.ANSWER_HEADERS,
        ]
        self._lines = b"content-length: %d\r\nx-request-id: %b\r\n" + header_lines(self._headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on."""
        is_post = scope["type"] == "http" and scope["method"] == "POST"
        head = self.read_head(scope["path"], scope["headers"]) if is_post else None
        served = None if head is None else self._answering.champion()
        if head is None or served is None or not self._let_in(scope, head):
            await self._app(scope, receive, send)
            return
        route = ROUTES[head.path]
        started_at = perf_counter()
        message = await receive()
        if message.get("more_body", False):
            message = await self._read_on(message, receive)
        body = message.get("body", b"")
        if _is_heavy(body, served):
            rows = await self._answering.in_thread(lambda: self._decode(route, served, message))
        else:
            rows = self._decode(route, served, message)
        if rows is None:
            await self._app(scope, _again(message, receive), send)
            return
        status, request_id = 200, exchange.begin(head.request_id)
        who = caller_of(scope).key_id
        try:
            retry = None
            if head.retry is not None:
                retry = read_retry(head.retry, scope["path"], body, route.shape.content_type, who=who)
            answer = await self._answering.answer(served, rows, route.shape, retry)
        except Exception as exc:  # noqa: BLE001 - the promise: no request ends the server or shows its insides
            response = on_failure(exc)
            response.raw_headers = exchange.complete(response.raw_headers, request_id)
            status = response.status_code
            await response(scope, receive, send)
        else:
            replayed = [(b"idempotency-replayed", b"true")] if answer.replayed else []
            answer_headers = self._answer_headers(answer.body, request_id) + replayed
            await send({"type": "http.response.start", "status": 200, "headers": answer_headers})
            await send({"type": "http.response.body", "body": answer.body})
        took_s = perf_counter() - started_at
        self._telemetry.requests.note(scope["path"], "POST", str(status), took_s)
        exchange.told(scope["path"], "POST", str(status), took_s, who)

    def _let_in(self, scope: Scope, head: Head) -> bool:
        """Whether the caller may predict; who may not goes the way of refusals, which finds the words."""
        if VERDICT not in scope:
            scope[VERDICT] = self.admit(head, address_of(scope))
        return isinstance(scope[VERDICT], Caller)

    def read_head(self, path: str, headers: list[tuple[bytes, bytes]]) -> Head | None:
        """Return what a header comes to, None when this is not the way to answer it."""
        return self._heads.read(path, headers) if path in ROUTES else None

    def admit(self, head: Head, address: str) -> Verdict:
        """Return who asks, or why they may not: once for every request."""
        return self._service.door.admit(head.authorization, address, KeyScope.PREDICT)

    def ask(self, head: Head, body: bytes, caller: Caller, tell: Tell) -> bool:
        """Answer a whole request without a task of its own, or return False: then call the application instead.

        Args:
            head: of the request.
            body: all of it.
            caller: who was let in.
            tell: gets the answer, once it is kept; not called before this returns.
        """
        started_at = perf_counter()
        served = self._answering.champion()
        if served is None or head.retry is not None or _is_heavy(body, served):
            return False
        route = ROUTES[head.path]
        try:
            rows = route.quick(served.decoder, body, self._service.limits.max_rows)
            if rows is None:
                return False
            request_id = exchange.accepted(head.request_id)
            asked = _Asked(head.path, request_id, caller.key_id, served, rows, started_at, tell)
            answer = self._answering.begin(served, rows, route.shape, partial(self._told, asked))
        except Exception:  # noqa: BLE001 - the promise: the application is asked again, and tells what is wrong
            return False
        if answer is None:
            return False
        asked.body = answer
        return True

    def _told(self, asked: _Asked, failure: StorageError | None) -> None:
        """Send an answer that is kept, or say that it is not."""
        self._answering.end(asked.served, asked.rows, failure)
        if failure is None:
            status, body = "200", asked.body
            asked.tell(200, self._lines % (len(body), asked.request_id), body)
        else:
            response = on_failure(failure)
            status = str(response.status_code)
            lines = header_lines(exchange.complete(response.raw_headers, asked.request_id))
            asked.tell(response.status_code, lines, bytes(response.body))
        took_s = perf_counter() - asked.started_at
        self._telemetry.requests.note(asked.path, "POST", status, took_s)
        exchange.told(asked.path, "POST", status, took_s, asked.who, asked.request_id)

    def _answer_headers(self, body: bytes, request_id: bytes) -> list[tuple[bytes, bytes]]:
        return [(b"content-length", b"%d" % len(body)), (exchange.HEADER, request_id), *self._headers]

    async def _read_on(self, message: Message, receive: Receive) -> Message:
        """Return one message with the whole body, or with as much as shows that it is too large."""
        body = bytearray(message.get("body", b""))
        while message.get("more_body", False) and len(body) <= self._service.limits.max_body_bytes:
            message = await receive()
            if message["type"] != "http.request":
                return message
            body += message.get("body", b"")
        return {"type": "http.request", "body": bytes(body), "more_body": message.get("more_body", False)}

    def _decode(self, route: Route, served: Served, message: Message) -> Rows | None:
        limits, body = self._service.limits, message.get("body", b"")
        if message["type"] != "http.request" or len(body) > limits.max_body_bytes:
            return None
        return route.quick(served.decoder, body, limits.max_rows)


def _is_heavy(body: bytes, served: Served) -> bool:
    """Whether a body may hold more rows than should be read while others wait."""
    most = served.light_rows
    return len(body) > most * BYTES_OF_A_ROW and body.count(b"{") + body.count(b"[") > most


def header_lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return headers as they travel."""
    return b"".join(b"%b: %b\r\n" % pair for pair in headers)


def _again(message: Message, receive: Receive) -> Receive:
    """Return a ``receive`` that tells ``message`` first."""
    told = False

    async def receive_again() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return message

    return receive_again
