"""A span for every request, where somebody collects them: an ASGI layer that is only there when it is wanted."""

from collections.abc import Mapping
from typing import Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vigie.api.exchange import REQUEST_ID, TRACE_ID
from vigie.api.fast import ROUTES
from vigie.api.telemetry import GONE, METHODS, OTHER

_CONTEXT = {b"traceparent": "traceparent", b"tracestate": "tracestate"}
"""W3C Trace Context: headers that say whose part this request is."""


class Span(Protocol):
    """One request, as a collector of traces sees it."""

    @property
    def trace_id(self) -> str:
        """The trace it belongs to: 32 hexadecimal digits."""
        ...

    def end(self, name: str, attributes: Mapping[str, str | int], *, failed: bool) -> None:
        """End now.

        Args:
            name: method and route.
            attributes: by their names in OpenTelemetry's conventions; no text of the client's.
            failed: whether the fault was ours.
        """
        ...


class Tracer(Protocol):
    """Where spans go."""

    def begin(self, context: Mapping[str, str]) -> Span:
        """Begin a span now.

        Args:
            context: the request's ``traceparent`` and ``tracestate``, as far as it has them.
        """
        ...


class Traced:
    """The outermost ASGI layer of a server that is traced. Without it, small requests need no task; with it they do.

    Args:
        app: what it traces.
        tracer: where the spans go.
    """

    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, as one span."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = int(GONE)

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        context = {_CONTEXT[name]: value.decode("latin-1") for name, value in scope["headers"] if name in _CONTEXT}
        span = self._tracer.begin(context)
        TRACE_ID.set(span.trace_id)
        try:
            await self._app(scope, receive, watched)
        finally:
            method = scope["method"] if scope["method"] in METHODS else OTHER
            route = scope["path"] if scope["path"] in ROUTES else getattr(scope.get("route"), "path", OTHER)
            attributes: dict[str, str | int] = {
                "http.request.method": method,
                "http.route": route,
                "http.response.status_code": status,
                "url.scheme": scope["scheme"],
                "vigie.request_id": REQUEST_ID.get(),
            }
            span.end(f"{method} {route}", attributes, failed=status >= 500)
