"""What travels: request bodies into plain values, answers into JSON."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType
from starlette.responses import Response

from vigie.api.depth import MAX_DEPTH, deep_place, is_deep
from vigie.api.errors import Fault, Meaning, RequestError
from vigie.domain.prediction import Prediction
from vigie.domain.schema import Label
from vigie.domain.task import Task
from vigie.inference.slots import ServingModel
from vigie.inference.values import Caution
from vigie.loop.feedback import Receipt
from vigie.loop.predict import Scored

MALFORMED = Meaning(400, "malformed-json", "The body is not JSON")
BAD_TEXT = Meaning(400, "invalid-unicode", "The body is not UTF-8")
TOO_DEEP = Meaning(400, "json-too-deep", "The body is nested too deep")
OVERFLOW = Meaning(422, "invalid-request", "The request does not fit the model")


_encode = msgspec.json.Encoder().encode


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

    prediction_id: Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
    prediction: float | int | str | bool
    probability: float | UnsetType = UNSET
    probabilities: dict[str, float] | UnsetType = UNSET
    model: ModelName
    warnings: Sequence[Warned]


class InvocationBody(msgspec.Struct, kw_only=True):
    """Answers as MLflow's clients read them: ``predictions``; the other fields are Vigie's own, one entry a row.

    Classifiers tell ``probabilities`` too, in the order of ``classes``.
    """

    predictions: Sequence[float | int | str | bool]
    prediction_ids: Sequence[Annotated[str, Meta(extra_json_schema={"format": "uuid"})]]
    probabilities: Sequence[Sequence[float]] | UnsetType = UNSET
    classes: Sequence[float | int | str | bool] | UnsetType = UNSET
    model: ModelName


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
        RequestError: 400 for what is not JSON (NaN and Infinity included) or not UTF-8 or nested too deep, 422 for
            a number that neither float64 nor an integer of a sane length can hold.
    """
    check_depth(body)
    try:
        return msgspec.json.decode(body)
    except msgspec.ValidationError as exc:  # the only constraint on untyped JSON is the size of its numbers
        fault = Fault("", "number-out-of-range", "expected numbers that float64 can hold, found a larger one")
        raise RequestError(OVERFLOW, "Mend what errors lists and send the request again.", [fault]) from exc
    except msgspec.DecodeError as exc:
        if "surrogate" in str(exc):
            raise RequestError(BAD_TEXT, "Send whole characters: half of a surrogate pair is none.") from exc
        raise RequestError(MALFORMED, f"{exc}. NaN and Infinity are not JSON; send null for missing.") from exc
    except UnicodeDecodeError as exc:
        raise RequestError(BAD_TEXT, "Send UTF-8.") from exc


def check_depth(body: bytes) -> None:
    """Refuse a body that is nested too deep, before anything reads it.

    Raises:
        RequestError: 400 with the place where it becomes too deep.
    """
    if is_deep(body):
        fault = Fault(
            deep_place(body), "json-too-deep", f"expected at most {MAX_DEPTH} arrays and objects in one another"
        )
        raise RequestError(TOO_DEEP, "Send an object, or an array of objects.", [fault])


class AnswerBodies:
    """Writes the answers of one model's schema.

    Args:
        model: whose answers.
    """

    def __init__(self, model: ServingModel) -> None:
        self._model = ModelName(model.name, model.version)
        self._task = model.schema.target.task
        self._classes = model.schema.target.classes
        self._keys = [label_key(label) for label in model.schema.target.classes]

    def json(self, scored: Scored, ids: Sequence[str]) -> bytes:
        """Return one answer for one object, and an array of answers for an array."""
        rows = scored.rows
        if rows.single:
            return _encode(self._answer(ids[0], scored.predictions[0], rows.warnings[0]))
        answers = [
            self._answer(which, said, warnings)
            for which, said, warnings in zip(ids, scored.predictions, rows.warnings, strict=True)
        ]
        return _encode(answers)

    def invocation(self, scored: Scored, ids: Sequence[str]) -> bytes:
        """Return all answers under ``predictions``."""
        body = InvocationBody(
            predictions=[said.value for said in scored.predictions], prediction_ids=ids, model=self._model
        )
        if self._classes:
            body.probabilities = [said.probabilities for said in scored.predictions]
            body.classes = self._classes
        return _encode(body)

    def _answer(self, which: str, said: Prediction, warnings: Sequence[Caution]) -> AnswerBody:
        body = AnswerBody(
            prediction_id=which,
            prediction=said.value,
            model=self._model,
            warnings=[_warned(caution) for caution in warnings] if warnings else (),
        )
        if self._task is Task.BINARY:
            body.probability = said.probabilities[-1]
        elif self._task is Task.MULTICLASS:
            body.probabilities = dict(zip(self._keys, said.probabilities, strict=True))
        return body


def id_text(which: bytes) -> str:
    """Return 16 bytes as a UUID is written."""
    text = which.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _warned(caution: Caution) -> Warned:
    return Warned(caution.code, caution.feature, caution.detail)


def label_key(label: Label) -> str:
    """Return a class as a JSON key: text as it is, ``true`` and ``3`` as JSON writes them."""
    return label if isinstance(label, str) else msgspec.json.encode(label).decode()


def receipt_body(receipt: Receipt) -> ReceiptBody:
    """Return a receipt as it travels."""
    return ReceiptBody(receipt.feedback.prediction_id, receipt.status.value, receipt.matched)


def json_response(value: Any, status: int = 200) -> Response:
    """Return a value as a JSON response."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")
