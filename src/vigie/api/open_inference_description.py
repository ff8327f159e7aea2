"""How ``/openapi.json`` tells of the routes under ``/v2``: their tensors, with the model's own names as the example."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from vigie.api.errors import PROBLEM_JSON, Problem
from vigie.api.protocols.open_inference import BINARY, JSON, InferRequest, InferResponse, ModelDescription
from vigie.api.protocols.tensors import KINDS
from vigie.domain.schema import Schema, Value

_CODES = ("401", "403", "404", "421", "429", "503")
_CODES_OF_INFER = ("400", "401", "403", "404", "409", "413", "415", "421", "422", "429", "500", "503")

_REF = "#/components/schemas/{name}"

_NAMES = {"name": "The model's name.", "version": "The version that serves; any other is 404."}


class ProtocolProblem(Problem):
    """A problem under ``/v2``: it says so in this protocol's way, too."""

    error: str = ""


def describe_open_inference(document: dict[str, Any], schema: Schema | None, example: Mapping[str, Value]) -> None:
    """Fill in what a document says of every route of the protocol.

    Args:
        document: with the routes as the framework found them; gets schemas, bodies and answers.
        schema: of the model that serves, if any does.
        example: a row of it.
    """
    kinds = [InferRequest, InferResponse, ModelDescription, ProtocolProblem]
    (request, response, model, problem), components = msgspec.json.schema_components(kinds, ref_template=_REF)
    document["components"]["schemas"] |= components
    for path, operations in document["paths"].items():
        if not f"{path}/".startswith("/v2/"):
            continue
        is_infer = path.endswith("/infer")
        for operation in operations.values():
            operation["parameters"] = [_parameter(name) for name in re.findall(r"\{(\w+)\}", path)]
            said: dict[str, Any] = model if path.endswith(("}", "/models/{name}")) else {"type": "object"}
            operation["responses"] = {"200": _answer(JSON, response if is_infer else said)}
            for code in _CODES_OF_INFER if is_infer else _CODES:
                operation["responses"][code] = _answer(PROBLEM_JSON, problem)
            if is_infer:
                body = {JSON: {"schema": request, "example": example_request(schema, example)}, BINARY: {"schema": {}}}
                operation["requestBody"] = {"required": True, "content": body}
                operation["responses"]["200"]["content"][BINARY] = {"schema": {}}


def example_request(schema: Schema | None, row: Mapping[str, Value]) -> dict[str, Any]:
    """Return a request for one row, one tensor a feature."""
    features = schema.features if schema else ()
    return {
        "inputs": [
            {"name": feature.name, "shape": [1], "datatype": KINDS[feature.kind], "data": [row[feature.name]]}
            for feature in features
        ]
    }


def _parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "description": _NAMES[name], "schema": {"type": "string"}}


def _answer(media_type: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": "", "content": {media_type: {"schema": schema}}}
