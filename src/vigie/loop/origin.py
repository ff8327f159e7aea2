"""Where a training comes from."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a training comes from, for the lineage: a sentence, the commit, what asked for it."""

    source: str
    commit: str | None = None
    cause: str = "vigie train"
