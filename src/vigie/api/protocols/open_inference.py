"""The Open Inference Protocol, version 2, under ``/v2``: what KServe's, Triton's and MLServer's clients speak.

A request holds one tensor a feature, or one matrix of all of them in the schema's order; the entity may be a tensor
more. It is answered like a batch sent to ``/predict``: the same checks, limits, log and ids. Errors are the same
problems, with the member ``error`` that this protocol's clients read.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from vigie.api.answering import Served, Shape
from vigie.api.errors import INVALID, Fault, RequestError, mismatch
from vigie.api.protocols.tensors import (
    KINDS,
    SIZE,
    Tensor,
    TensorError,
    is_matrix,
    label_type,
    matrix_columns,
    size_of,
    to_raw,
    values_of,
)
from vigie.api.wire import check_depth, decode_json
from vigie.domain.schema import Schema, Target
from vigie.domain.task import Task
from vigie.errors import SchemaMismatchError, Violation
from vigie.inference.decoding import RowDecoder
from vigie.inference.payload import Rows, check_count, read_rows
from vigie.loop.predict import Scored

HEADER_LENGTH = "Inference-Header-Content-Length"
"""How many bytes of a body are JSON; the rest are tensors."""

JSON, BINARY = "application/json", "application/octet-stream"

MEND = "Mend what errors lists and send the request again; nothing was done."


class WantedOutput(msgspec.Struct):
    """An output that is asked for."""

    name: str
    parameters: dict[str, Any] = {}


class InferRequest(msgspec.Struct):
    """The JSON part of a request; what it says beyond is left aside."""

    inputs: list[Tensor]
    id: str | None = None
    outputs: list[WantedOutput] = []
    parameters: dict[str, Any] = {}


class OutputTensor(msgspec.Struct, omit_defaults=True):
    """One output: its values are here, or behind the JSON."""

    name: str
    datatype: str
    shape: list[int]
    data: Sequence[Any] | UnsetType = UNSET
    parameters: dict[str, int] = {}


class InferResponse(msgspec.Struct, omit_defaults=True):
    """The JSON part of an answer."""

    model_name: str
    model_version: str
    outputs: list[OutputTensor]
    id: str | None = None


class TensorDescription(msgspec.Struct, omit_defaults=True):
    """A tensor as the model's metadata announce it; -1 stands for any number of rows."""

    name: str
    datatype: str
    shape: list[int]
    parameters: dict[str, Any] = {}


class ModelDescription(msgspec.Struct):
    """The model's metadata."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorDescription]
    outputs: list[TensorDescription]


_requests = msgspec.json.Decoder(InferRequest)


def describe_model(name: str, version: str, schema: Schema) -> ModelDescription:
    """Return a model's metadata."""
    inputs = [
        TensorDescription(feature.name, KINDS[feature.kind], [-1], {"nullable": True} if feature.nullable else {})
        for feature in schema.features
    ]
    if schema.entity:
        inputs.append(TensorDescription(schema.entity, "BYTES", [-1], {"optional": True}))
    return ModelDescription(name, [version], "vigie", inputs, _outputs(schema.target))


def _outputs(target: Target) -> list[TensorDescription]:
    labels = {"classes": list(target.classes)} if target.classes else {}
    outputs = [TensorDescription("prediction", label_type(target.classes), [-1], labels)]
    if target.task is Task.BINARY:
        outputs.append(TensorDescription("probability", "FP64", [-1], {"positive": target.positive}))
    elif target.task is Task.MULTICLASS:
        outputs.append(TensorDescription("probabilities", "FP64", [-1, len(target.classes)], labels))
    return [*outputs, TensorDescription("prediction_id", "BYTES", [-1]), TensorDescription("warnings", "BYTES", [-1])]


@dataclass(frozen=True, slots=True)
class Inference:
    """A request that was read.

    Attributes:
        rows: to answer.
        id: the client's own name for the request, given back.
        outputs: which tensors to answer, and whether as bytes.
    """

    rows: Rows
    id: str | None
    outputs: Mapping[str, bool]

    @property
    def shape(self) -> Shape:
        """How it is answered."""
        return Shape(BINARY if any(self.outputs.values()) else JSON, self._write)

    def _write(self, served: Served, scored: Scored, ids: Sequence[str]) -> bytes:
        values: dict[str, Sequence[Any]] = {
            "prediction": [said.value for said in scored.predictions],
            "probability": [share for said in scored.predictions for share in said.probabilities[-1:]],
            "probabilities": [share for said in scored.predictions for share in said.probabilities],
            "prediction_id": ids,
            "warnings": [_told(notes) for notes in scored.rows.warnings],
        }
        outputs, behind = [], []
        for known in _outputs(served.schema.target):
            if known.name not in self.outputs:
                continue
            found = values[known.name]
            made = OutputTensor(known.name, known.datatype, [len(ids), *known.shape[1:]])
            if self.outputs[known.name]:
                behind.append(to_raw(known.datatype, found))
                made.parameters = {SIZE: len(behind[-1])}
            else:
                made.data = [str(value) for value in found] if known.datatype == "BYTES" else found
            outputs.append(made)
        head = msgspec.json.encode(InferResponse(served.model.name, served.model.version, outputs, self.id))
        return b"".join([head, *behind])


def _told(notes: Sequence[Any]) -> str:
    if not notes:
        return "[]"
    told = [{"code": note.code, "feature": note.feature, "detail": note.detail} for note in notes]
    return msgspec.json.encode(told).decode()


def json_length(body: bytes) -> int:
    """Return how many bytes of an answer of ours are JSON."""
    return json.JSONDecoder().raw_decode(body.decode("latin-1"))[1]


def read_inference(body: bytes, head: str | None, schema: Schema, decoder: RowDecoder, *, max_rows: int) -> Inference:
    """Return the rows of a body and what is asked of them.

    Args:
        body: JSON, and the bytes of tensors behind it if ``head`` says so.
        head: the header ``Inference-Header-Content-Length``.
        schema: what the model takes.
        decoder: the quick reader of the same schema.
        max_rows: the longest tensors that are read.

    Raises:
        RequestError: the body is no such request, or its rows do not fit the schema.
    """
    size = len(body) if head is None else int(head) if head.isascii() and head.isdecimal() and len(head) < 20 else -1
    if not 0 <= size <= len(body):
        raise _refused("", "wrong-type", f"expected {HEADER_LENGTH} to be the number of bytes of the JSON")
    request = _request(body[:size])
    raws = _raw_parts(request.inputs, body[size:])
    columns, places = _columns(request.inputs, raws, schema, max_rows=max_rows)

    def locate(fault: Violation) -> str:
        place = places.get(fault.feature)
        return "/inputs" if place is None else f"/inputs/{place}" + (f"/data/{fault.row}" if fault.row >= 0 else "")

    try:
        rows = decoder.from_columns(columns)
        rows = rows if rows is not None else read_rows(_records(columns), schema, max_rows=max_rows)
    except SchemaMismatchError as exc:
        raise mismatch(exc, locate) from exc
    return Inference(rows, request.id, _wanted(request, schema.target))


def _request(head: bytes) -> InferRequest:
    check_depth(head)
    try:
        return _requests.decode(head)
    except msgspec.ValidationError as exc:
        decode_json(head)  # what is no JSON at all, or holds too large a number, has its own words
        raise _refused("", "wrong-type", "expected inputs, an array of tensors with name, shape and datatype") from exc
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        decode_json(head)
        raise _refused("", "wrong-type", "expected a request of the Open Inference Protocol") from exc


def _raw_parts(tensors: Sequence[Tensor], behind: bytes) -> list[bytes | None]:
    """Return the bytes of each tensor; all must be used."""
    parts: list[bytes | None] = []
    place = 0
    for number, tensor in enumerate(tensors):
        try:
            size = tensor.n_bytes
        except TensorError as exc:
            raise _fault(number, exc) from exc
        parts.append(None if size is None else behind[place : place + size])
        place += size or 0
    if place != len(behind):
        raise _refused("/inputs", "wrong-shape", f"expected {place:,} bytes behind the JSON, found {len(behind):,}")
    return parts


def _columns(
    tensors: Sequence[Tensor], raws: Sequence[bytes | None], schema: Schema, *, max_rows: int
) -> tuple[dict[str, list[Any]], dict[str, int]]:
    """Return columns of one length, and in which tensor each one came."""
    columns: dict[str, list[Any]] = {}
    places: dict[str, int] = {}
    for number, (tensor, raw) in enumerate(zip(tensors, raws, strict=True)):
        try:
            _check_rows(tensor, max_rows)
            found = _tensor_columns(tensor, raw, schema)
        except TensorError as exc:
            raise _fault(number, exc) from exc
        if found.keys() & columns.keys():
            raise _refused(f"/inputs/{number}/name", "duplicate-feature", "expected each feature once")
        columns |= found
        places |= dict.fromkeys(found, number)
    if len(set(map(len, columns.values()))) > 1:
        raise _refused("/inputs", "wrong-shape", "expected tensors with the same number of rows")
    if not columns:
        raise _refused("/inputs", "empty-batch", "expected at least one tensor")
    return columns, places


def _tensor_columns(tensor: Tensor, raw: bytes | None, schema: Schema) -> dict[str, list[Any]]:
    values = values_of(tensor, raw)
    columns = matrix_columns(values, schema) if is_matrix(tensor, schema) else {tensor.name: values}
    if len(values) != tensor.shape[0] * len(columns):
        raise TensorError("/shape", "wrong-shape", "expected [rows] or [rows, 1]")
    return columns


def _check_rows(tensor: Tensor, max_rows: int) -> None:
    """Refuse an empty or a long tensor before its values are made."""
    size_of(tensor)
    try:
        check_count(tensor.shape[0], max_items=max_rows, what="row")
    except SchemaMismatchError as exc:
        raise mismatch(exc, lambda _: "/inputs") from exc


def _records(columns: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _wanted(request: InferRequest, target: Target) -> dict[str, bool]:
    """Return the outputs to answer, and whether as bytes."""
    names = [output.name for output in _outputs(target)]
    as_bytes = request.parameters.get("binary_data_output") is True
    if not request.outputs:
        return dict.fromkeys(names, as_bytes)
    for number, output in enumerate(request.outputs):
        if output.name not in names:
            raise _refused(f"/outputs/{number}/name", "unknown-output", f"expected one of {', '.join(names)}")
    return {output.name: output.parameters.get("binary_data", as_bytes) is True for output in request.outputs}


def _fault(number: int, exc: TensorError) -> RequestError:
    return _refused(f"/inputs/{number}{exc.place}", exc.code, exc.detail)


def _refused(place: str, code: str, detail: str) -> RequestError:
    return RequestError(INVALID, MEND, [Fault(place, code, detail)])
