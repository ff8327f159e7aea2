"""What travels: request bodies into plain values, answers into JSON."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType
from starlette.responses import Response

from vigie.api.errors import Fault, Meaning, RequestError
from vigie.domain.schema import Label, Target
from vigie.domain.task import Task
from vigie.loop.feedback import Receipt
from vigie.loop.predict import Answer

MALFORMED = Meaning(400, "malformed-json", "The body is not JSON")
BAD_TEXT = Meaning(400, "invalid-unicode", "The body is not UTF-8")
TOO_DEEP = Meaning(400, "json-too-deep", "The body is nested too deep")
OVERFLOW = Meaning(422, "invalid-request", "The request does not fit the model")


class ModelName(msgspec.Struct):
    """The model that answered."""

    name: str
    version: str


class Warned(msgspec.Struct):
    """Why an answer should be taken with care."""

    code: str
    feature: str
    detail: str


class AnswerBody(msgspec.Struct, kw_only=True):
    """One answer. Binary models carry ``probability`` (of the positive class), multiclass ones ``probabilities``."""

    prediction_id: UUID
    prediction: float | int | str | bool
    probability: float | UnsetType = UNSET
    probabilities: dict[str, float] | UnsetType = UNSET
    model: ModelName
    warnings: Sequence[Warned]


class ReceiptBody(msgspec.Struct):
    """What became of one feedback; ``matched`` is false while its prediction is unknown."""

    prediction_id: UUID
    status: str
    matched: bool


class ModelState(msgspec.Struct):
    """The model that serves, and when it was trained."""

    name: str
    version: str
    created_at: datetime


class LogState(msgspec.Struct):
    """Which promise the prediction log keeps, and whether it can be written."""

    mode: str
    writable: bool


class Health(msgspec.Struct):
    """How the service is, for a person."""

    status: str
    model: ModelState | None
    uptime_s: float
    cpu_percent: float
    memory_bytes: int
    log: LogState


def decode_json(body: bytes) -> Any:
    """Return the JSON value of a body; of duplicate keys, the last one wins.

    Raises:
        RequestError: 400 for what is not JSON (NaN and Infinity included) or not UTF-8 or nested without end, 422 for
            a number that neither float64 nor an integer of a sane length can hold.
    """
    try:
        return msgspec.json.decode(body)
    except msgspec.ValidationError as exc:  # the only constraint on untyped JSON is the size of its numbers
        fault = Fault("", "number-out-of-range", "expected numbers that float64 can hold, found a larger one")
        raise RequestError(OVERFLOW, "Mend what errors lists and send the request again.", [fault]) from exc
    except msgspec.DecodeError as exc:
        raise RequestError(MALFORMED, f"{exc}. NaN and Infinity are not JSON; send null for missing.") from exc
    except UnicodeDecodeError as exc:
        raise RequestError(BAD_TEXT, "Send UTF-8.") from exc
    except RecursionError as exc:
        raise RequestError(TOO_DEEP, "Send an object, or an array of objects.") from exc


def answer_body(answer: Answer, target: Target) -> AnswerBody:
    """Return an answer as it travels."""
    said = answer.prediction
    body = AnswerBody(
        prediction_id=answer.prediction_id,
        prediction=said.value,
        model=ModelName(answer.model, answer.version),
        warnings=[Warned(caution.code, caution.feature, caution.detail) for caution in answer.warnings],
    )
    if target.task is Task.BINARY:
        body.probability = said.probabilities[-1]
    elif target.task is Task.MULTICLASS:
        names = [label_key(label) for label in target.classes]
        body.probabilities = dict(zip(names, said.probabilities, strict=True))
    return body


def label_key(label: Label) -> str:
    """Return a class as a JSON key: text as it is, ``true`` and ``3`` as JSON writes them."""
    return label if isinstance(label, str) else msgspec.json.encode(label).decode()


def receipt_body(receipt: Receipt) -> ReceiptBody:
    """Return a receipt as it travels."""
    return ReceiptBody(receipt.feedback.prediction_id, receipt.status.value, receipt.matched)


def json_response(value: Any, status: int = 200) -> Response:
    """Return a value as a JSON response."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")
