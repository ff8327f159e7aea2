"""The contract between a table, a model and a request: which features, of which kind, within which bounds."""

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

from vigie.domain.task import Task

Value = float | int | str | bool | None
"""One feature value of one row, as JSON can say it; None is missing."""

Label = float | int | str | bool
"""One outcome: a number for regression, one of the target's classes otherwise."""

LARGEST_OUTCOME: Final = 1e37
"""Size of a regression's outcome at most. Trees compare in float32, which ends at 3.4e38, and Welch's test of squared
errors needs their fourth power, where float64 ends at 1.8e308: one outcome beyond would leave performance unknown."""


class Kind(StrEnum):
    """How a feature is read, checked, fed to a model and watched."""

    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    CATEGORY = "category"

    @property
    def is_numeric(self) -> bool:
        """Whether the feature reaches models as a float64 (booleans as 0.0 and 1.0)."""
        return self is not Kind.CATEGORY


@dataclass(frozen=True, slots=True)
class Feature:
    """One input column.

    Attributes:
        name: the column's name, also the JSON field.
        kind: how it is read.
        nullable: whether a missing value is accepted.
        range: smallest and largest value seen at training; outside is answered with a warning.
        limits: hard bounds set by a person, None for open; outside is refused.
        categories: levels seen at training, sorted; others are answered with a warning.
    """

    name: str
    kind: Kind
    nullable: bool = False
    range: tuple[float, float] | None = None
    limits: tuple[float | None, float | None] | None = None
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """The column a model predicts.

    Attributes:
        name: the column's name.
        task: the question asked about it.
        classes: labels in the order of the model's class indices; for a binary task the positive class is last.
    """

    name: str
    task: Task
    classes: tuple[Label, ...] = ()

    @property
    def positive(self) -> Label:
        """The class whose probability a binary answer reports."""
        return self.classes[-1]


MOST_FEATURES: Final = 1_500
"""Features of one model: the prediction log has a column for each, and PostgreSQL has room for 1,600 in a table."""


@dataclass(frozen=True, slots=True)
class Schema:
    """Features in the order the model takes them, the target, and the column that names the entity, if any."""

    features: tuple[Feature, ...]
    target: Target
    entity: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Feature names in model order."""
        return tuple(feature.name for feature in self.features)

    def feature(self, name: str) -> Feature:
        """Return the feature called ``name``; KeyError when there is none."""
        for feature in self.features:
            if feature.name == name:
                return feature
        raise KeyError(name)

    @property
    def digest(self) -> str:
        """SHA-256 of what decides the shape of a logged row: names, kinds and the task, not the ranges."""
        shape = [[feature.name, feature.kind.value] for feature in self.features]
        target = [self.target.name, self.target.task.value, list(self.target.classes)]
        return hashlib.sha256(json.dumps([shape, target], ensure_ascii=False).encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; the inverse of ``from_dict``."""
        return {
            "features": [
                {
                    "name": feature.name,
                    "kind": feature.kind.value,
                    "nullable": feature.nullable,
                    "range": list(feature.range) if feature.range else None,
                    "limits": list(feature.limits) if feature.limits else None,
                    "categories": list(feature.categories),
                }
                for feature in self.features
            ],
            "target": {
                "name": self.target.name,
                "task": self.target.task.value,
                "classes": list(self.target.classes),
            },
            "entity": self.entity,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Rebuild a schema; KeyError, TypeError or ValueError when ``data`` is not one."""
        features = tuple(
            Feature(
                name=item["name"],
                kind=Kind(item["kind"]),
                nullable=bool(item["nullable"]),
                range=_pair(item["range"]),
                limits=_pair(item["limits"]),
                categories=tuple(item["categories"]),
            )
            for item in data["features"]
        )
        target = data["target"]
        return cls(
            features=features,
            target=Target(target["name"], Task(target["task"]), tuple(target["classes"])),
            entity=data["entity"],
        )


def _pair(values: list[Any] | None) -> Any:
    if values is None:
        return None
    low, high = values
    return (low, high)
