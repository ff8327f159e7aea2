"""One method a route. Bodies are read on the event loop and parsed in a thread; the fast path's twin is among them."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from importlib.metadata import version
from importlib.resources import files

import psutil
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from vigie.api.access import WRONG_TYPE, read_body
from vigie.api.answering import INVOCATIONS, PREDICTIONS, Answering, Served, Shape
from vigie.api.door import caller_of
from vigie.api.errors import CONFLICT, RequestError, mismatch, problem
from vigie.api.protocols.invocations import read_invocation
from vigie.api.retries import read_retry
from vigie.api.service import Service
from vigie.api.telemetry import Telemetry
from vigie.api.wire import (
    Health,
    LogState,
    ModelState,
    decode_json,
    json_response,
    receipt_body,
)
from vigie.domain.prediction import FeedbackStatus
from vigie.domain.schema import Schema, Target
from vigie.errors import SchemaMismatchError, StorageError
from vigie.inference.outcomes import FeedbackItems, read_feedback
from vigie.inference.payload import Rows, pointer, read_rows
from vigie.loop.feedback import Receipt

ARROW_STREAM = "application/vnd.apache.arrow.stream"

ASSETS = {"docs.html": "text/html", "docs.css": "text/css", "docs.js": "text/javascript"}


class Endpoints:
    """The routes of one service.

    Args:
        service: collaborators and limits.
        telemetry: where answers are counted.
        answering: what the fast path shares.
    """

    def __init__(self, service: Service, telemetry: Telemetry, answering: Answering) -> None:
        self._service = service
        self._answering = answering
        self._log_header = {"Vigie-Log": service.writer.mode}
        self._telemetry = telemetry
        self._started_at = service.clock.now()
        self._process = psutil.Process()
        self._process.cpu_percent()  # the first call only starts the count

    async def predict(self, request: Request) -> Response:
        """Answer one row (an object) or several (an array, answered in order), once they are in the log."""
        if request.headers.get("content-type") == ARROW_STREAM:
            return await self._predict_stream(request)
        return await self._answer(request, _read_rows, PREDICTIONS)

    async def _predict_stream(self, request: Request) -> Response:
        try:
            from vigie.api.protocols import arrow  # noqa: PLC0415 - a server that is asked in JSON does without Arrow
        except ImportError as exc:
            raise RequestError(WRONG_TYPE, "Arrow is not installed on this server; send JSON.") from exc
        limits = self._service.limits
        body = await read_body(request, max_bytes=limits.max_bulk_bytes, media_types=(ARROW_STREAM,))
        served = self._answering.served()
        read = partial(arrow.read_stream, body, served.schema, served.decoder, max_rows=limits.max_bulk_rows)
        rows = await self._answering.in_thread(read)
        return await self.respond(request, served, body, rows, Shape(ARROW_STREAM, arrow.write_stream))

    async def invocations(self, request: Request) -> Response:
        """Answer in MLflow's form: ``dataframe_split``, ``dataframe_records``, ``instances`` or ``inputs``."""
        return await self._answer(request, read_invocation, INVOCATIONS)

    async def _answer(self, request: Request, read: Callable[..., Rows], shape: Shape) -> Response:
        limits = self._service.limits
        body = await read_body(request, max_bytes=limits.max_body_bytes)
        served = self._answering.served()
        rows = await run_in_threadpool(read, body, served.schema, max_rows=limits.max_rows)
        return await self.respond(request, served, body, rows, shape)

    async def respond(self, request: Request, served: Served, body: bytes, rows: Rows, shape: Shape) -> Response:
        """Answer rows that were read from a request, or again what answered it before."""
        key = request.headers.get("idempotency-key")
        retry = None
        if key is not None:
            who = caller_of(request.scope).key_id
            retry = read_retry(key.encode("latin-1"), request.url.path, body, shape.content_type, who=who)
        answer = await self._answering.answer(served, rows, shape, retry)
        headers = self._log_header | ({"Idempotency-Replayed": "true"} if answer.replayed else {})
        return Response(answer.body, headers=headers, media_type=shape.content_type)

    async def feedback(self, request: Request) -> Response:
        """Keep one outcome (an object) or several (an array); saying the same twice counts once.

        One outcome: 200 when it is kept, 202 while its prediction is unknown, 409 when another outcome is known for
        the same time. An array is always 200, with a status per item.
        """
        body = await read_body(request, max_bytes=self._service.limits.max_body_bytes)
        service, model = self._service, self._answering.served().model
        now = service.clock.now()
        feedback = await run_in_threadpool(self._read_feedback, body, model.schema.target, now)
        statuses = await service.writer.feedback(model.name, feedback.items, received_at=now)
        receipts = [Receipt(item, status) for item, status in zip(feedback.items, statuses, strict=True)]
        for receipt in receipts:
            self._telemetry.feedback.labels(receipt.status.value).inc()
        if not feedback.single:
            return json_response([receipt_body(receipt) for receipt in receipts])
        receipt = receipts[0]
        if receipt.status is FeedbackStatus.CONFLICT:
            detail = "Send a later observed_at to replace the outcome that is known; nothing was changed."
            return problem(CONFLICT, detail)
        return json_response(receipt_body(receipt), 200 if receipt.matched else 202)

    def _read_feedback(self, body: bytes, target: Target, now: datetime) -> FeedbackItems:
        payload = decode_json(body)
        try:
            return read_feedback(payload, target, max_items=self._service.limits.max_rows, now=now)
        except SchemaMismatchError as exc:
            raise mismatch(exc, partial(pointer, single=isinstance(payload, dict))) from exc

    async def ping(self) -> Response:
        """Say what ``/readyz`` says, under the name that SageMaker and MLflow know."""
        return await self.readyz()

    async def version(self) -> Response:
        """Say which version of Vigie this is, where MLflow's client asks for the server's."""
        return Response(version("vigie"), media_type="text/plain")

    async def livez(self) -> Response:
        """Say that the process is alive."""
        return json_response({"status": "ok"})

    async def readyz(self) -> Response:
        """Say whether requests may be sent here: 503 while there is no model, or the log cannot be written."""
        await run_in_threadpool(self._check_ready)
        return json_response({"status": "ok"})

    def _check_ready(self) -> None:
        self._answering.served()
        self._service.writer.check()

    async def health(self) -> Response:
        """Tell a person how the service is: 503 with the same body when it cannot answer."""
        state = await run_in_threadpool(self._health)
        return json_response(state, 200 if state.status == "ok" else 503)

    def _health(self) -> Health:
        model = self._service.slots.champion
        writable = self._log_is_writable()
        return Health(
            status="ok" if model and writable else "unavailable",
            model=ModelState(model.name, model.version, model.created_at) if model else None,
            uptime_s=max(0.0, (self._service.clock.now() - self._started_at).total_seconds()),
            cpu_percent=self._process.cpu_percent(),
            memory_bytes=self._process.memory_info().rss,
            log=LogState(self._service.writer.mode, writable),
        )

    def _log_is_writable(self) -> bool:
        try:
            self._service.writer.check()
        except StorageError:
            return False
        return True

    async def metrics(self) -> Response:
        """Return what Prometheus reads."""
        told = self._telemetry.exposition() + await run_in_threadpool(self._service.verdicts)
        return Response(told, media_type=CONTENT_TYPE_LATEST)

    async def docs(self) -> Response:
        """Return the page that explains this service; it asks nothing of any other host."""
        return _asset("docs.html")

    async def docs_style(self) -> Response:
        """Return the style of the docs page."""
        return _asset("docs.css")

    async def docs_script(self) -> Response:
        """Return the script of the docs page."""
        return _asset("docs.js")


def _read_rows(body: bytes, schema: Schema, *, max_rows: int) -> Rows:
    payload = decode_json(body)
    try:
        return read_rows(payload, schema, max_rows=max_rows)
    except SchemaMismatchError as exc:
        raise mismatch(exc, partial(pointer, single=isinstance(payload, dict))) from exc


def _asset(name: str) -> Response:
    content = files("vigie.api").joinpath("static", name).read_bytes()
    return Response(content, media_type=ASSETS[name])
