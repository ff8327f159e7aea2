"""The way of plain predictions: the outermost ASGI callable, without a framework.

It takes a request whose headers and body are right at first sight. Anything else (another route, an unusual header, a
body with a fault) is handed, whole, to the framework's twin of the route, which finds the words: there is one place
that refuses, and the two ways cannot drift apart.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vigie.api import exchange
from vigie.api.access import host_name
from vigie.api.answering import INVOCATIONS, PREDICTIONS, Answering, Served, Shape
from vigie.api.door import VERDICT, Caller, address_of, caller_of
from vigie.api.errors import on_failure
from vigie.api.protocols.invocations import quick_rows
from vigie.api.retries import HEADER as RETRY
from vigie.api.retries import read_retry
from vigie.api.service import Service
from vigie.api.telemetry import Telemetry
from vigie.domain.access import KeyScope
from vigie.inference.decoding import RowDecoder
from vigie.inference.payload import Rows
from vigie.ports import Replay

Quick = Callable[[RowDecoder, bytes, int], Rows | None]
"""Reads a body under a schema, at most so many rows; None when the twin should look at it."""


class Route(NamedTuple):
    """How a path reads plain bodies and writes answers."""

    quick: Quick
    shape: Shape


Tell = Callable[[int, list[tuple[bytes, bytes]], bytes], None]
"""Takes an answer: status, headers, body."""


class _Asked(NamedTuple):
    """A request that is being answered without a task."""

    path: str
    request_id: bytes
    who: str
    served: Served
    rows: Rows
    body: bytes
    started_at: float
    tell: Tell


ROUTES = {
    "/predict": Route(lambda decoder, body, most: decoder.decode(body, max_rows=most), PREDICTIONS),
    "/invocations": Route(lambda decoder, body, most: quick_rows(decoder, body, max_rows=most), INVOCATIONS),
}

PLAIN_TYPES = frozenset({b"application/json", b"application/json; charset=utf-8", b"application/json;charset=utf-8"})
"""Content types as clients usually write them; the twin understands the others."""

UNUSUAL = frozenset({b"content-encoding", b"expect", b"origin", b"sec-fetch-site"})
"""Headers that ask for something else than an answer to the body as it is, or that say that a browser asks."""

MAX_KNOWN_HOSTS = 64

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
        self._known_hosts: set[bytes] = set()
        self._headers = [
            (b"content-type", b"application/json"),
            (b"vigie-log", service.writer.mode.encode()),
            *exchange.ANSWER_HEADERS,
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on."""
        route = ROUTES.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        headers = None if route is None else self._plain_headers(scope)
        served = None if headers is None else self._answering.champion()
        if route is None or headers is None or served is None or not self._let_in(scope, headers):
            await self._app(scope, receive, send)
            return
        started_at = perf_counter()
        message = await receive()
        if message.get("more_body", False):
            message = await self._read_on(message, receive)
        body = message.get("body", b"")
        if self._is_heavy(body):
            rows = await self._answering.in_thread(lambda: self._decode(route, served, message))
        else:
            rows = self._decode(route, served, message)
        if rows is None:
            await self._app(scope, _again(message, receive), send)
            return
        status, request_id = 200, exchange.begin(headers.get(exchange.HEADER))
        who = caller_of(scope).key_id
        try:
            key, retry = headers.get(RETRY), None
            if key is not None:
                retry = read_retry(key, scope["path"], body, route.shape.content_type, who=who)
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

    def _let_in(self, scope: Scope, headers: dict[bytes, bytes]) -> bool:
        """Whether the caller may predict; who may not goes the way of refusals, which finds the words."""
        if VERDICT not in scope:
            door, address = self._service.door, address_of(scope)
            scope[VERDICT] = door.admit(headers.get(b"authorization"), address, KeyScope.PREDICT)
        return isinstance(scope[VERDICT], Caller)

    def ask(self, scope: Scope, body: bytes, tell: Tell) -> bool:
        """Answer a whole request without a task of its own, or return False: then call the application instead.

        Args:
            scope: of the request.
            body: all of it.
            tell: gets the answer, once it is kept; not called before this returns.
        """
        started_at = perf_counter()
        route = ROUTES.get(scope["path"]) if scope["method"] == "POST" else None
        headers = None if route is None else self._plain_headers(scope)
        served = None if headers is None else self._answering.champion()
        if route is None or headers is None or served is None or RETRY in headers or self._is_heavy(body):
            return False
        if not self._let_in(scope, headers):
            return False
        try:
            rows = route.quick(served.decoder, body, self._service.limits.max_rows)
            begun = None if rows is None else self._answering.begin(served, rows, route.shape)
        except Exception:  # noqa: BLE001 - the promise: the application is asked again, and tells what is wrong
            return False
        if rows is None or begun is None:
            return False
        answer, kept = begun
        request_id = exchange.begin(headers.get(exchange.HEADER))
        who = caller_of(scope).key_id
        asked = _Asked(scope["path"], request_id, who, served, rows, answer, started_at, tell)
        kept.add_done_callback(partial(self._told, asked))
        return True

    def _told(self, asked: _Asked, kept: "asyncio.Future[Replay | None]") -> None:
        failure = asyncio.CancelledError() if kept.cancelled() else kept.exception()
        self._answering.end(asked.served, asked.rows, failure)
        status, headers, body = 200, self._answer_headers(asked.body, asked.request_id), asked.body
        if failure is not None:
            response = on_failure(failure)
            headers = exchange.complete(response.raw_headers, asked.request_id)
            status, body = response.status_code, bytes(response.body)
        asked.tell(status, headers, body)
        took_s = perf_counter() - asked.started_at
        self._telemetry.requests.note(asked.path, "POST", str(status), took_s)
        exchange.told(asked.path, "POST", str(status), took_s, asked.who)

    def _answer_headers(self, body: bytes, request_id: bytes) -> list[tuple[bytes, bytes]]:
        return [(b"content-length", b"%d" % len(body)), (exchange.HEADER, request_id), *self._headers]

    def _plain_headers(self, scope: Scope) -> dict[bytes, bytes] | None:
        """Return the headers when nothing about them needs a second look."""
        headers = dict(scope["headers"])
        plain = (
            len(headers) == len(scope["headers"])
            and headers.get(b"content-type") in PLAIN_TYPES
            and (headers.get(b"host") in self._known_hosts or self._is_known(headers.get(b"host", b"")))
            and (declared := headers.get(b"content-length", b"0")).isdigit()
            and int(declared) <= self._service.limits.max_body_bytes
            and UNUSUAL.isdisjoint(headers)
        )
        return headers if plain else None

    def _is_known(self, host: bytes) -> bool:
        hosts = self._service.hosts
        known = bool(host) and (hosts is None or host_name(host.decode("latin-1")) in hosts)
        if known and len(self._known_hosts) < MAX_KNOWN_HOSTS:
            self._known_hosts.add(host)
        return known

    async def _read_on(self, message: Message, receive: Receive) -> Message:
        """Return one message with the whole body, or with as much as shows that it is too large."""
        body = bytearray(message.get("body", b""))
        while message.get("more_body", False) and len(body) <= self._service.limits.max_body_bytes:
            message = await receive()
            if message["type"] != "http.request":
                return message
            body += message.get("body", b"")
        return {"type": "http.request", "body": bytes(body), "more_body": message.get("more_body", False)}

    def _is_heavy(self, body: bytes) -> bool:
        """Whether a body may hold more rows than should be read while others wait."""
        most = self._service.limits.heavy_rows
        return len(body) > most * BYTES_OF_A_ROW and body.count(b"{") + body.count(b"[") > most

    def _decode(self, route: Route, served: Served, message: Message) -> Rows | None:
        limits, body = self._service.limits, message.get("body", b"")
        if message["type"] != "http.request" or len(body) > limits.max_body_bytes:
            return None
        return route.quick(served.decoder, body, limits.max_rows)


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
