"""The way of plain predictions: the outermost ASGI callable, without a framework.

It takes a request whose headers and body are right at first sight. Anything else (another route, an unusual header, a
body with a fault) is handed, whole, to the framework's twin of the route, which finds the words: there is one place
that refuses, and the two ways cannot drift apart.
"""

from collections.abc import Mapping
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vigie.api.access import host_name
from vigie.api.answering import Answering, Served, json_answers
from vigie.api.errors import on_failure
from vigie.api.service import Service
from vigie.api.telemetry import Telemetry
from vigie.inference.payload import Rows

PATH = "/predict"

PLAIN_TYPES = frozenset({b"application/json", b"application/json; charset=utf-8", b"application/json;charset=utf-8"})
"""Content types as clients usually write them; the twin understands the others."""

UNUSUAL = (b"content-encoding", b"expect")
"""Headers that ask for something else than an answer to the body as it is."""

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
        self._fine = telemetry.requests.labels(PATH, "POST", "200")
        self._duration = telemetry.durations.labels(PATH)
        self._telemetry = telemetry
        self._known_hosts: set[bytes] = set()
        self._start_headers = [(b"content-type", b"application/json"), (b"vigie-log", service.writer.mode.encode())]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on."""
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "POST" or not self._is_plain(scope):
            await self._app(scope, receive, send)
            return
        started_at = perf_counter()
        served = self._answering.champion()
        message = await self._read(receive)
        rows = await self._decode(served, message) if served is not None else None
        if served is None or rows is None:
            await self._app(scope, _again(message, receive), send)
            return
        await self._answer(served, rows, scope, receive, send)
        self._duration.observe(perf_counter() - started_at)

    def _is_plain(self, scope: Scope) -> bool:
        """Whether nothing about the headers needs a second look.

        Access keys belong here: a caller that is known and allowed passes, any other one goes to the twin's refusal.
        """
        headers: Mapping[bytes, bytes] = dict(scope["headers"])
        return (
            len(headers) == len(scope["headers"])
            and headers.get(b"content-type") in PLAIN_TYPES
            and self._is_known(headers.get(b"host", b""))
            and int(headers.get(b"content-length", b"0")) <= self._service.limits.max_body_bytes
            and not any(name in headers for name in UNUSUAL)
        )

    def _is_known(self, host: bytes) -> bool:
        if host in self._known_hosts:
            return True
        hosts = self._service.hosts
        known = bool(host) and (hosts is None or host_name(host.decode("latin-1")) in hosts)
        if known and len(self._known_hosts) < MAX_KNOWN_HOSTS:
            self._known_hosts.add(host)
        return known

    async def _read(self, receive: Receive) -> Message:
        """Return one message with the whole body, or with as much as shows that it is too large."""
        message = await receive()
        if message["type"] != "http.request" or not message.get("more_body", False):
            return {"body": b"", "more_body": False, **message}
        body = bytearray(message.get("body", b""))
        while message.get("more_body", False) and len(body) <= self._service.limits.max_body_bytes:
            message = await receive()
            if message["type"] != "http.request":
                return message
            body += message.get("body", b"")
        return {"type": "http.request", "body": bytes(body), "more_body": message.get("more_body", False)}

    async def _decode(self, served: Served, message: Message) -> Rows | None:
        limits, body = self._service.limits, message.get("body", b"")
        if message["type"] != "http.request" or message["more_body"] or len(body) > limits.max_body_bytes:
            return None
        decode = served.decoder.decode
        if len(body) > limits.heavy_rows * BYTES_OF_A_ROW and body.count(b"{") > limits.heavy_rows:
            return await self._answering.in_thread(lambda: decode(body, max_rows=limits.max_rows))
        return decode(body, max_rows=limits.max_rows)

    async def _answer(self, served: Served, rows: Rows, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await self._answering.answer(served, rows, json_answers)
        except Exception as exc:  # noqa: BLE001 - the promise: no request ends the server or shows its insides
            response = on_failure(exc)
            self._telemetry.requests.labels(PATH, "POST", str(response.status_code)).inc()
            await response(scope, receive, send)
            return
        self._fine.inc()
        headers = [(b"content-length", b"%d" % len(body)), *self._start_headers]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


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
