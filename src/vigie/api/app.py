"""The HTTP application: routes, layers and error handlers, put together once."""

from importlib.metadata import version

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp

from vigie.api.access import HostCheck
from vigie.api.answering import Answering
from vigie.api.description import Description
from vigie.api.endpoints import Endpoints
from vigie.api.errors import Boundary, RequestError, on_http_error, on_request_error, on_vigie_error
from vigie.api.fast import FastPath
from vigie.api.open_inference import OpenInference
from vigie.api.service import Service
from vigie.api.telemetry import Observe, Telemetry
from vigie.api.wire import json_response
from vigie.errors import VigieError


def create_app(service: Service) -> ASGIApp:
    """Return the ASGI application of a service.

    Args:
        service: collaborators and limits; the model may come later, through ``service.slots``.
    """
    # FastAPI's own pages load their scripts from another host: ours stand alone.
    app = FastAPI(title=service.name, openapi_url=None, docs_url=None, redoc_url=None)
    telemetry = Telemetry(service.slots)
    answering = Answering(service, telemetry)
    endpoints = Endpoints(service, telemetry, answering)
    description = Description(app, service)

    async def openapi() -> Response:
        return json_response(description.document())

    app.add_api_route("/predict", endpoints.predict, methods=["POST"])
    app.add_api_route("/invocations", endpoints.invocations, methods=["POST"])
    app.add_api_route("/feedback", endpoints.feedback, methods=["POST"])
    app.add_api_route("/livez", endpoints.livez, methods=["GET"])
    app.add_api_route("/readyz", endpoints.readyz, methods=["GET"])
    app.add_api_route("/ping", endpoints.ping, methods=["GET"])
    app.add_api_route("/version", endpoints.version, methods=["GET"], include_in_schema=False)
    app.add_api_route("/health", endpoints.health, methods=["GET"])
    app.add_api_route("/metrics", endpoints.metrics, methods=["GET"])
    for (method, path), endpoint in (
        OpenInference(service, answering, endpoints.respond, version("vigie")).routes().items()
    ):
        app.add_api_route(path, endpoint, methods=[method], include_in_schema=False)
    hidden = {
        "/docs": endpoints.docs,
        "/docs/style.css": endpoints.docs_style,
        "/docs/script.js": endpoints.docs_script,
        "/openapi.json": openapi,
    }
    for path, page in hidden.items():
        app.add_api_route(path, page, methods=["GET"], include_in_schema=False)

    app.add_exception_handler(VigieError, on_vigie_error)
    app.add_exception_handler(RequestError, on_request_error)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_middleware(Boundary)
    app.add_middleware(HostCheck, hosts=service.hosts)
    app.add_middleware(Observe, telemetry=telemetry)  # the last one added is the outermost
    return FastPath(app, service, answering, telemetry) if service.fast_path else app
