"""The schema as a member of the bundle, read field by field with its types.

A schema decides what a request may hold, so a damaged one would fail at every request instead of once, here.
"""

import math
from typing import Any

import msgspec

from vigie.bundle.manifest import read_json
from vigie.domain.schema import MOST_FEATURES, Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.errors import BundleError


class _FeatureFields(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    kind: Kind
    nullable: bool
    range: tuple[float, float] | None
    limits: tuple[float | None, float | None] | None
    categories: list[str]


class _TargetFields(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    task: Task
    classes: list[float | int | str | bool]


class _SchemaFields(msgspec.Struct, forbid_unknown_fields=True):
    features: list[_FeatureFields]
    target: _TargetFields
    entity: str | None


def read_schema(content: bytes) -> Schema:
    """Return the schema that ``Schema.to_dict`` wrote as JSON.

    Raises:
        BundleError: a field is missing, unknown or of another type, or the features or classes make no sense.
    """
    fields = read_json(content, "schema.json", _SchemaFields)
    names = [feature.name for feature in fields.features]
    _require(bool(names), "has no features")
    _require(len(set(names)) == len(names), "names a feature twice")
    _require(len(names) <= MOST_FEATURES, f"has {len(names):,} features; {MOST_FEATURES:,} are the most")
    _require(fields.target.name not in names and fields.entity not in names, "takes its target or entity for a feature")
    classes = fields.target.classes
    _require(len(set(map(repr, classes))) == len(classes), "names a class twice")
    needed = {Task.REGRESSION: (0, 0), Task.BINARY: (2, 2), Task.MULTICLASS: (3, math.inf)}
    low, high = needed[fields.target.task]
    _require(low <= len(classes) <= high, f"has {len(classes)} classes for a {fields.target.task} target")
    return Schema(
        tuple(_feature(feature) for feature in fields.features),
        Target(fields.target.name, fields.target.task, tuple(classes)),
        fields.entity,
    )


def _feature(fields: _FeatureFields) -> Feature:
    bounds: list[Any] = [*(fields.range or ()), *(fields.limits or ())]
    _require(all(bound is None or math.isfinite(bound) for bound in bounds), f"bounds {fields.name!r} by no number")
    return Feature(
        fields.name, fields.kind, fields.nullable, fields.range, fields.limits, categories=tuple(fields.categories)
    )


def _require(condition: bool, problem: str) -> None:  # noqa: FBT001 - reads as a sentence at every call
    if not condition:
        raise BundleError(f"schema.json {problem}.")
