"""A tracker in memory."""

from collections.abc import Sequence
from dataclasses import dataclass

from vigie.domain.model import RunRecord, TrackedRuns


@dataclass(frozen=True, slots=True)
class KeptRun:
    """One run as it was recorded; ``parent_id`` is None for a parent."""

    experiment: str
    record: RunRecord
    parent_id: str | None


class InMemoryTracker:
    """Implements ``ports.Tracker``; a test reads ``runs``.

    Attributes:
        runs: what was recorded, by run id, oldest first.
    """

    def __init__(self) -> None:
        self.runs: dict[str, KeptRun] = {}

    def record(self, experiment: str, parent: RunRecord, children: Sequence[RunRecord]) -> TrackedRuns:
        """Keep one parent run with its children."""
        parent_id = self._keep(KeptRun(experiment, parent, None))
        child_ids = {child.name: self._keep(KeptRun(experiment, child, parent_id)) for child in children}
        return TrackedRuns(parent_id, child_ids)

    def _keep(self, run: KeptRun) -> str:
        run_id = f"run-{len(self.runs) + 1}"
        self.runs[run_id] = run
        return run_id
