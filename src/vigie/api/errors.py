"""Every failure as RFC 9457 ``application/problem+json``; the one table from errors to HTTP statuses.

A problem says what to mend, at which JSON pointer. It never repeats a submitted value, and what went wrong on our side
goes to the log with an id, not to the client.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vigie import errors
from vigie.errors import SchemaMismatchError, VigieError, Violation

PROBLEM_JSON = "application/problem+json"

MAX_FAULTS = 20
"""Faults shown in one problem."""

_log = logging.getLogger("vigie.api")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an error is called over HTTP; ``ours`` when the client can do nothing about it but wait or tell us."""

    status: int
    slug: str
    title: str
    ours: bool = False


INVALID = Meaning(422, "invalid-request", "The request does not fit the model")
TOO_MANY_ROWS = Meaning(413, "batch-too-large", "The batch is too large")
CONFLICT = Meaning(409, "feedback-conflict", "Another outcome is already known for this prediction")
OVERLOADED = Meaning(503, "overloaded", "More is asked than can be answered")
FAILURE = Meaning(500, "internal-error", "Something failed on our side", ours=True)
UNUSABLE = Meaning(500, "model-failure", "The model cannot answer", ours=True)
MOVED = Meaning(409, "model-changing", "The model is being changed by somebody else")

MEANINGS: Mapping[type[VigieError], Meaning] = {
    errors.VigieError: FAILURE,
    errors.ConfigurationError: Meaning(500, "misconfigured", "The server is misconfigured", ours=True),
    errors.DataError: Meaning(422, "invalid-data", "The data cannot mean what was asked"),
    errors.SchemaMismatchError: INVALID,
    errors.InsufficientDataError: Meaning(422, "insufficient-data", "There is not enough data to answer"),
    errors.UnknownPredictionError: Meaning(404, "unknown-prediction", "No such prediction"),
    errors.BundleError: UNUSABLE,
    errors.BundleCorruptedError: UNUSABLE,
    errors.BundleFormatError: UNUSABLE,
    errors.UntrustedContentError: UNUSABLE,
    errors.SignatureError: UNUSABLE,
    errors.UnsignedBundleError: UNUSABLE,
    errors.UnknownSignerError: UNUSABLE,
    errors.WrongSignatureError: UNUSABLE,
    errors.RegistryError: Meaning(503, "registry-unavailable", "The registry cannot be used", ours=True),
    errors.ModelNotFoundError: Meaning(404, "unknown-model", "No such model"),
    errors.NoChampionError: Meaning(503, "no-model", "No model is ready to answer"),
    errors.AliasMovedError: MOVED,
    errors.LeaseHeldError: MOVED,
    errors.StorageError: Meaning(503, "storage-unavailable", "The prediction log cannot be used", ours=True),
}
"""Every class of the tree; a test asserts that none is missing."""

_HTTP = {404: "not-found", 405: "method-not-allowed"}

RETRY_AFTER_S = 1
"""What a 503 asks of the client."""


class Fault(msgspec.Struct):
    """One thing to mend: where, a stable code, and a clause for a person."""

    pointer: str
    code: str
    detail: str


class Problem(msgspec.Struct, omit_defaults=True):
    """The body of every answer that is not a success."""

    type: str
    title: str
    status: int
    detail: str = ""
    instance: str = ""
    errors: Sequence[Fault] = ()
    errors_truncated: bool = False


@dataclass(slots=True)
class RequestError(Exception):
    """A request that is refused at the edge."""

    meaning: Meaning
    detail: str
    faults: Sequence[Fault] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


def mismatch(exc: SchemaMismatchError, locate: Callable[[Violation], str]) -> RequestError:
    """Return the refusal that points at every violation in the body it came in.

    Args:
        exc: what does not fit.
        locate: says where in the body a violation is, as a JSON pointer.
    """
    faults = [
        Fault(locate(violation), violation.code, f"expected {violation.expected}, found {violation.found}")
        for violation in exc.violations
    ]
    meaning = TOO_MANY_ROWS if [fault.code for fault in faults] == [TOO_MANY_ROWS.slug] else INVALID
    return RequestError(meaning, "Mend what errors lists and send the request again; nothing was done.", faults)


def problem(
    meaning: Meaning,
    detail: str = "",
    *,
    faults: Sequence[Fault] = (),
    instance: str = "",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the response that tells a failure."""
    body = Problem(
        type=f"urn:vigie:problem:{meaning.slug}",
        title=meaning.title,
        status=meaning.status,
        detail=detail,
        instance=instance,
        errors=tuple(faults[:MAX_FAULTS]),
        errors_truncated=len(faults) > MAX_FAULTS,
    )
    extra = dict(headers or {})
    if meaning.status == 503:
        extra.setdefault("Retry-After", str(RETRY_AFTER_S))
    return Response(msgspec.json.encode(body), meaning.status, extra, media_type=PROBLEM_JSON)


def meaning_of(exc: VigieError) -> Meaning:
    """Return the table's line for an error: its own, or its nearest ancestor's."""
    return next(MEANINGS[cls] for cls in type(exc).__mro__ if cls in MEANINGS)


def on_vigie_error(_request: Request | None, exc: Exception) -> Response:
    """Tell an error of Vigie's tree."""
    if not isinstance(exc, VigieError):
        raise TypeError("registered for VigieError only")
    meaning = meaning_of(exc)
    if not meaning.ours:
        return problem(meaning, str(exc))
    return _told_to_the_log(meaning, exc)


def on_request_error(_request: Request | None, exc: Exception) -> Response:
    """Tell why a request is refused at the edge."""
    if not isinstance(exc, RequestError):
        raise TypeError("registered for RequestError only")
    return problem(exc.meaning, exc.detail, faults=exc.faults, headers=exc.headers)


def on_http_error(_request: Request | None, exc: Exception) -> Response:
    """Tell what the router itself refuses: unknown paths and methods."""
    if not isinstance(exc, HTTPException):
        raise TypeError("registered for HTTPException only")
    meaning = Meaning(exc.status_code, _HTTP.get(exc.status_code, "http-error"), str(exc.detail))
    return problem(meaning, "GET /docs lists what this server answers.", headers=exc.headers)


def on_failure(exc: BaseException) -> Response:
    """Tell any failure; an unforeseen one gets an id that stands in the log too."""
    if isinstance(exc, VigieError):
        return on_vigie_error(None, exc)
    if isinstance(exc, RequestError):
        return on_request_error(None, exc)
    return _told_to_the_log(FAILURE, exc)


class Boundary:
    """The innermost ASGI layer around the routes: a request that fails in an unforeseen way takes nothing with it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; a failure becomes a problem with an id that stands in the log too."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as exc:  # noqa: BLE001 - the promise: no request ends the server or shows its insides
            response = on_failure(exc)
            if not started:
                await response(scope, receive, send)


def _told_to_the_log(meaning: Meaning, exc: BaseException) -> Response:
    instance = uuid4().urn
    _log.error("%s: %s", instance, meaning.title, exc_info=exc)
    return problem(meaning, "The server's log tells more under this instance.", instance=instance)
