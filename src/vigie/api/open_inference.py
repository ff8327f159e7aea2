"""The routes under ``/v2``."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vigie.api.access import read_body
from vigie.api.answering import Answering, Served
from vigie.api.errors import PROBLEM_JSON, Meaning, RequestError
from vigie.api.protocols.open_inference import BINARY, HEADER_LENGTH, JSON, describe_model, json_length, read_inference
from vigie.api.service import Service
from vigie.api.wire import json_response

SERVER = {"name": "vigie", "extensions": ["binary_tensor_data"]}

UNKNOWN_MODEL = Meaning(404, "unknown-model", "No such model")
UNKNOWN_VERSION = Meaning(404, "unknown-version", "No such version")

Route = Callable[[Request], Awaitable[Response]]


class OpenInference:
    """The routes of one service.

    Args:
        service: collaborators and limits.
        answering: what every way of asking shares.
        respond: answers rows, as the endpoints do.
        version: of this software.
    """

    def __init__(self, service: Service, answering: Answering, respond: Callable[..., Any], version: str) -> None:
        self._service = service
        self._answering = answering
        self._respond = respond
        self._server = json_response(SERVER | {"version": version})

    def routes(self) -> dict[tuple[str, str], Route]:
        """Return every route by method and path."""
        one = "/v2/models/{name}"
        routes: dict[tuple[str, str], Route] = {("GET", "/v2"): self.server, ("GET", "/v2/health/live"): self.live}
        routes["GET", "/v2/health/ready"] = self.ready
        for path in (one, one + "/versions/{version}"):
            routes["GET", path] = self.model
            routes["GET", path + "/ready"] = self.model_ready
            routes["POST", path + "/infer"] = self.infer
        return routes

    async def server(self, _request: Request) -> Response:
        """Say which server this is, and which extensions it speaks."""
        return self._server

    async def live(self, _request: Request) -> Response:
        """Say that the process is alive."""
        return json_response({"live": True})

    async def ready(self, _request: Request) -> Response:
        """Say whether requests may be sent here."""
        await run_in_threadpool(self._check_ready)
        return json_response({"ready": True})

    async def model(self, request: Request) -> Response:
        """Describe the model that serves: its tensors, in and out."""
        served = self._asked(request)
        return json_response(describe_model(served.model.name, served.model.version, served.schema))

    async def model_ready(self, request: Request) -> Response:
        """Say whether the model serves, and its answers can be kept."""
        served = self._asked(request)
        await run_in_threadpool(self._check_ready)
        return json_response({"name": served.model.name, "ready": True})

    async def infer(self, request: Request) -> Response:
        """Answer tensors with tensors, once the answers are in the log."""
        limits, headers = self._service.limits, request.headers
        body = await read_body(request, max_bytes=limits.max_body_bytes, media_types=(JSON, BINARY, ""))
        served = self._asked(request)
        head = headers.get(HEADER_LENGTH)
        read = partial(read_inference, body, head, served.schema, served.decoder, max_rows=limits.max_rows)
        inference = await self._answering.in_thread(read)
        response: Response = await self._respond(request, served, body, inference.rows, inference.shape)
        if response.media_type == BINARY:
            response.headers[HEADER_LENGTH] = str(json_length(bytes(response.body)))
        return response

    def _check_ready(self) -> None:
        self._answering.served()
        self._service.writer.check()

    def _asked(self, request: Request) -> Served:
        """Return who serves under the name, and the version, that the path holds.

        Raises:
            RequestError: another one was asked for.
            NoChampionError: nobody serves yet.
        """
        name, version = request.path_params["name"], request.path_params.get("version")
        if name != self._service.name:
            raise RequestError(UNKNOWN_MODEL, f"This server's model is called {self._service.name!r}.")
        served = self._answering.served()
        if version not in {None, served.model.version}:
            raise RequestError(UNKNOWN_VERSION, f"Version {served.model.version} serves; ask without a version for it.")
        return served


class InTheirWords:
    """An ASGI layer: a problem under ``/v2``, whoever tells it, has the member that this protocol's clients read.

    Args:
        app: what may refuse.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and add ``error`` to the problem that comes back."""
        if scope["type"] != "http" or not f"{scope['path']}/".startswith("/v2/"):
            await self._app(scope, receive, send)
            return
        held: Message | None = None

        async def told(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start" and _is_problem(message):
                held = message  # its length is about to change
                return
            if held is not None:
                body = with_error(message["body"])  # a problem is one message
                headers = [pair for pair in held["headers"] if pair[0] != b"content-length"]
                await send({**held, "headers": [*headers, (b"content-length", b"%d" % len(body))]})
                held, message = None, {**message, "body": body}
            await send(message)

        await self._app(scope, receive, told)


def _is_problem(start: Message) -> bool:
    return (b"content-type", PROBLEM_JSON.encode()) in start["headers"]


def with_error(body: bytes) -> bytes:
    """Return a problem with the member that this protocol's clients read: ``error``, one sentence."""
    told = msgspec.json.decode(body)
    faults = [f"{fault['pointer']}: {fault['detail']}" for fault in told.get("errors", ())]
    told["error"] = ". ".join(
        part.rstrip(".") for part in (told["title"], *(faults or [told.get("detail", "")])) if part
    )
    return msgspec.json.encode(told)
