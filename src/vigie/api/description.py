"""The OpenAPI document of the model that serves: its own features, with types, ranges, categories and an example."""

from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from vigie.api.errors import PROBLEM_JSON, Problem
from vigie.api.open_inference_description import describe_open_inference
from vigie.api.service import Service
from vigie.api.wire import AnswerBody, Health, InvocationBody, ReceiptBody
from vigie.domain.schema import Feature, Kind, Schema, Value
from vigie.inference.outcomes import MAX_SHOWN_CLASSES
from vigie.inference.slots import ServingModel
from vigie.inference.values import MAX_TEXT_BYTES

EXAMPLE_ID = "0198c0de-0000-7000-8000-000000000000"

_JSON_TYPES = {Kind.INTEGER: "integer", Kind.NUMBER: "number", Kind.BOOLEAN: "boolean", Kind.CATEGORY: "string"}

INVOCATION_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "Exactly one of these, as MLflow's scoring server takes them.",
    "properties": {
        "dataframe_split": {
            "type": "object",
            "properties": {
                "columns": {"type": "array", "items": {"type": "string"}},
                "data": {"type": "array", "items": {"type": "array"}},
            },
            "required": ["columns", "data"],
        },
        "dataframe_records": {"type": "array", "items": {"$ref": "#/components/schemas/Features"}},
        "instances": {"description": "Rows: objects, or arrays in the schema's order."},
        "inputs": {"description": "Rows as above, or an object of arrays by feature."},
    },
    "minProperties": 1,
    "maxProperties": 1,
}

OPEN_TO_ALL = ("/livez", "/readyz", "/v2/health/live", "/v2/health/ready")
"""Described routes that ask for no key."""

_ACCESS = ("401", "403", "429")

_PROBLEMS = {
    "/predict": ("400", *_ACCESS, "413", "415", "422", "500", "503"),
    "/invocations": ("400", *_ACCESS, "413", "415", "422", "500", "503"),
    "/feedback": ("400", *_ACCESS, "409", "413", "415", "422", "503"),
    "/readyz": ("503",),
    "/ping": (*_ACCESS, "503"),
    "/health": _ACCESS,
    "/metrics": _ACCESS,
}


class Description:
    """The document, made anew when another model serves.

    Args:
        app: whose routes are described.
        service: says which model serves.
    """

    def __init__(self, app: FastAPI, service: Service) -> None:
        self._app = app
        self._service = service
        self._made_for: ServingModel | None = None
        self._document: dict[str, Any] | None = None

    def document(self) -> dict[str, Any]:
        """Return the OpenAPI document for the model that serves now."""
        model = self._service.slots.champion
        if self._document is None or model is not self._made_for:
            document = self._describe(model)
            self._document, self._made_for = document, model
            return document
        return self._document

    def _describe(self, model: ServingModel | None) -> dict[str, Any]:
        document: dict[str, Any] = get_openapi(
            title=self._service.name,
            version=model.version if model else "none",
            description=_summary(model),
            routes=self._app.routes,
        )
        bodies, components = msgspec.json.schema_components(
            [AnswerBody, InvocationBody, ReceiptBody, Health, Problem], ref_template="#/components/schemas/{name}"
        )
        answer, invocation, receipt, health, problem = bodies
        components["Features"] = features_schema(model.schema) if model else {"type": "object"}
        components["Invocation"] = INVOCATION_SCHEMA
        components["Outcome"] = outcome_schema(model.schema) if model else {"type": "object"}
        key = {"type": "http", "scheme": "bearer", "description": "An access key, where the project has any."}
        document["components"] = {"schemas": components, "securitySchemes": {"key": key}}
        paths = document["paths"]
        for path in paths.keys() - set(OPEN_TO_ALL):
            for operation in paths[path].values():
                operation["security"] = [{"key": []}]
        examples = (example_row(model.schema), example_outcome(model.schema)) if model else ({}, {})
        _put_body(paths["/predict"]["post"], "Features", examples[0])
        _put_body(paths["/feedback"]["post"], "Outcome", examples[1])
        _put_responses(paths["/predict"]["post"], {"200": _one_or_many(answer)})
        _put_invocation(paths["/invocations"]["post"], examples[0])
        _put_responses(paths["/invocations"]["post"], {"200": invocation})
        _put_responses(paths["/feedback"]["post"], {"200": _one_or_many(receipt), "202": receipt})
        _put_responses(paths["/health"]["get"], {"200": health, "503": health})
        describe_open_inference(document, model.schema if model else None, examples[0])
        for path, codes in _PROBLEMS.items():
            for operation in paths[path].values():
                for code in codes:
                    operation["responses"][code] = _response("A problem", problem, PROBLEM_JSON)
        paths["/metrics"]["get"]["responses"]["200"]["content"] = {"text/plain": {"schema": {"type": "string"}}}
        return document


def features_schema(schema: Schema) -> dict[str, Any]:
    """Return the JSON Schema of one row: what ``inference.payload`` accepts, with what it warns about in words."""
    properties = {feature.name: _feature_schema(feature) for feature in schema.features}
    if schema.entity:
        note = "Whom the row is about; never a feature."
        properties[schema.entity] = {"type": ["string", "integer", "null"], "description": note}
    return {
        "type": "object",
        "properties": properties,
        "required": list(schema.names),
        "additionalProperties": False,
        "example": example_row(schema),
    }


def outcome_schema(schema: Schema) -> dict[str, Any]:
    """Return the JSON Schema of one feedback."""
    classes = schema.target.classes
    return {
        "type": "object",
        "properties": {
            "prediction_id": {"type": "string", "format": "uuid"},
            "outcome": {"enum": list(classes)} if classes else {"type": "number"},
            "observed_at": {"type": ["string", "null"], "format": "date-time"},
        },
        "required": ["prediction_id", "outcome"],
        "additionalProperties": False,
        "example": example_outcome(schema),
    }


def example_row(schema: Schema) -> dict[str, Value]:
    """Return a row that the model answers without a warning; made up, so that no one's data is shown."""
    return {feature.name: _example(feature) for feature in schema.features}


def example_outcome(schema: Schema) -> dict[str, Any]:
    """Return a feedback in the right shape."""
    outcome = schema.target.positive if schema.target.classes else 1.0
    return {"prediction_id": EXAMPLE_ID, "outcome": outcome}


def _example(feature: Feature) -> Value:
    if feature.kind is Kind.CATEGORY:
        return feature.categories[0] if feature.categories else "text"
    if feature.kind is Kind.BOOLEAN:
        return True
    low, high = feature.range or (0.0, 1.0)
    if feature.kind is Kind.INTEGER:
        return int((low + high) // 2)
    rounded = float(f"{low / 2 + high / 2:.3g}")
    return rounded if low <= rounded <= high else low


def _feature_schema(feature: Feature) -> dict[str, Any]:
    plain = _JSON_TYPES[feature.kind]
    described: dict[str, Any] = {"type": [plain, "null"] if feature.nullable else plain}
    notes = []
    if feature.kind is Kind.CATEGORY:
        described["maxLength"] = MAX_TEXT_BYTES
        described["examples"] = list(feature.categories[:MAX_SHOWN_CLASSES])
        notes.append(
            f"{len(feature.categories):,} categories were seen at training; others are answered with a warning."
        )
    if feature.range is not None:
        low, high = feature.range
        notes.append(f"Seen at training: {low:g} to {high:g}; outside is answered with a warning.")
    limits = zip(("minimum", "maximum"), feature.limits or (), strict=False)
    described |= {key: bound for key, bound in limits if bound is not None}
    described["description"] = " ".join(notes)
    return described


def _summary(model: ServingModel | None) -> str:
    if model is None:
        return "No model is loaded yet."
    target = model.schema.target
    return f"Predicts {target.name!r} ({target.task}); trained {model.created_at:%Y-%m-%d %H:%M} UTC."


def _one_or_many(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "array", "items": schema}]}


def _put_body(operation: dict[str, Any], name: str, example: dict[str, Any]) -> None:
    schema = _one_or_many({"$ref": f"#/components/schemas/{name}"})
    content = {"application/json": {"schema": schema, "example": example}}
    operation["requestBody"] = {"required": True, "content": content}


def _put_invocation(operation: dict[str, Any], example: dict[str, Any]) -> None:
    schema = {"$ref": "#/components/schemas/Invocation"}
    content = {"application/json": {"schema": schema, "example": {"dataframe_records": [example]}}}
    operation["requestBody"] = {"required": True, "content": content}


def _put_responses(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    operation["responses"] = {code: _response("", schema, "application/json") for code, schema in schemas.items()}


def _response(description: str, schema: dict[str, Any], media_type: str) -> dict[str, Any]:
    return {"description": description, "content": {media_type: {"schema": schema}}}
