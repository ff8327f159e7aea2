"""A version of a model in the registry, and the run that made it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

CHAMPION = "champion"
"""Alias of the version that serves."""

CHALLENGER = "challenger"
"""Alias of the version that was last weighed against the champion."""


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One registered version; ``version`` counts from "1" as the registry writes it."""

    name: str
    version: str
    run_id: str | None
    created_at: datetime
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What a tracker keeps of one run: words, numbers and labels."""

    name: str
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrackedRuns:
    """The ids a tracker gave: the parent's, and each child's by run name."""

    parent_id: str
    child_ids: Mapping[str, str]
