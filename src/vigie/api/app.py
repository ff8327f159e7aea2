"""The HTTP application: routes, layers and error handlers, put together once."""

from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import NamedTuple

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp

from vigie.api.access import HostCheck
from vigie.api.answering import Answering
from vigie.api.description import Description
from vigie.api.door import Guard, check_declared
from vigie.api.endpoints import Endpoints
from vigie.api.errors import Boundary, RequestError, on_http_error, on_request_error, on_vigie_error
from vigie.api.fast import FastPath
from vigie.api.open_inference import InTheirWords, OpenInference
from vigie.api.service import Service
from vigie.api.telemetry import Observe, Telemetry
from vigie.api.wire import json_response
from vigie.domain.access import KeyScope
from vigie.errors import VigieError


class Entrance(NamedTuple):
    """How a path is entered: the method, what answers, and what opens it; None for what is open to all."""

    method: str
    endpoint: Callable[..., Awaitable[Response]]
    opened_by: KeyScope | None
    hidden: bool = False


def create_app(service: Service, telemetry: Telemetry | None = None) -> ASGIApp:
    """Return the ASGI application of a service.

    Args:
        service: collaborators and limits; the model may come later, through ``service.slots``.
        telemetry: where requests are counted; None counts for this process alone.
    """
    # FastAPI's own pages load their scripts from another host: ours stand alone.
    app = FastAPI(title=service.name, openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    telemetry = telemetry or Telemetry(service.slots)
    telemetry.attend(service.writer)
    answering = Answering(service, telemetry)
    endpoints = Endpoints(service, telemetry, answering)
    description = Description(app, service)

    async def openapi() -> Response:
        return json_response(description.document())

    routes: dict[str, Entrance] = {
        "/predict": Entrance("POST", endpoints.predict, KeyScope.PREDICT),
        "/invocations": Entrance("POST", endpoints.invocations, KeyScope.PREDICT),
        "/feedback": Entrance("POST", endpoints.feedback, KeyScope.FEEDBACK),
        "/livez": Entrance("GET", endpoints.livez, None),
        "/readyz": Entrance("GET", endpoints.readyz, None),
        "/ping": Entrance("GET", endpoints.ping, KeyScope.READ),
        "/version": Entrance("GET", endpoints.version, KeyScope.READ, hidden=True),
        "/health": Entrance("GET", endpoints.health, KeyScope.READ),
        "/metrics": Entrance("GET", endpoints.metrics, KeyScope.METRICS),
        "/docs": Entrance("GET", endpoints.docs, None, hidden=True),
        "/docs/style.css": Entrance("GET", endpoints.docs_style, None, hidden=True),
        "/docs/script.js": Entrance("GET", endpoints.docs_script, None, hidden=True),
        "/openapi.json": Entrance("GET", openapi, KeyScope.READ, hidden=True),
    }
    routes |= _open_inference(OpenInference(service, answering, endpoints.respond, version("vigie")))
    for path, entrance in routes.items():
        app.add_api_route(path, entrance.endpoint, methods=[entrance.method], include_in_schema=not entrance.hidden)
    needs = {(path, entrance.method): entrance.opened_by for path, entrance in routes.items()}

    app.add_exception_handler(VigieError, on_vigie_error)
    app.add_exception_handler(RequestError, on_request_error)
    app.add_exception_handler(HTTPException, on_http_error)
    check_declared(app.routes, needs)
    app.add_middleware(Guard, door=service.door, routes=app.routes, needs=needs)
    app.add_middleware(Boundary)
    app.add_middleware(HostCheck, hosts=service.hosts)
    app.add_middleware(InTheirWords)
    app.add_middleware(Observe, telemetry=telemetry)  # the last one added is the outermost
    return FastPath(app, service, answering, telemetry) if service.fast_path else app


def _open_inference(protocol: OpenInference) -> dict[str, Entrance]:
    """Return the protocol's routes: like ours, its two health routes are open to all, and asking takes a key."""
    health = {"/v2/health/live", "/v2/health/ready"}
    scopes = {"GET": KeyScope.READ, "POST": KeyScope.PREDICT}
    return {
        path: Entrance(method, endpoint, None if path in health else scopes[method])
        for (method, path), endpoint in protocol.routes().items()
    }
