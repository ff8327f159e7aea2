"""A version of a model in the registry, and the run that made it."""

from collections.abc import Mapping, Sequence
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
class UsedRows:
    """Rows that a run learnt from or was judged on: enough to know them again, never the rows themselves.

    Attributes:
        name: of the table.
        role: ``training`` or ``test``.
        digest: SHA-256 of the whole table, hex.
        source: where the table comes from, one sentence.
        n_rows: of this part.
        columns: kind by name, target included.
    """

    name: str
    role: str
    digest: str
    source: str
    n_rows: int
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What a tracker keeps of one run.

    Attributes:
        name: in words; children of one parent have different ones.
        params: what was fixed or chosen, as text.
        metrics: numbers, one each.
        tags: labels.
        series: numbers with one value a step, e.g. a fold; names hold a slash, those of ``metrics`` none.
        rows: what it learnt from and was judged on.
        seconds: how long it took.
    """

    name: str
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    series: Mapping[str, Sequence[float]] = field(default_factory=dict)
    rows: tuple[UsedRows, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class TrackedRuns:
    """The ids a tracker gave: the parent's, and each child's by run name."""

    parent_id: str
    child_ids: Mapping[str, str]
