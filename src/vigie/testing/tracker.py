"""A tracker in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vigie.domain.model import RunRecord, TrackedRuns
from vigie.errors import RegistryError


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
        files: what was attached, by run id and name.
        notes: what stands beside the runs, by run id.
    """

    def __init__(self) -> None:
        self.runs: dict[str, KeptRun] = {}
        self.files: dict[str, dict[str, bytes]] = {}
        self.notes: dict[str, str] = {}

    def record(self, experiment: str, parent: RunRecord, children: Sequence[RunRecord]) -> TrackedRuns:
        """Keep one parent run with its children."""
        parent_id = self._keep(KeptRun(experiment, parent, None))
        child_ids = {child.name: self._keep(KeptRun(experiment, child, parent_id)) for child in children}
        return TrackedRuns(parent_id, child_ids)

    def attach(self, run_id: str, files: Mapping[str, bytes], *, note: str = "") -> None:
        """Keep files and a note with a run.

        Raises:
            RegistryError: there is no such run.
        """
        if run_id not in self.runs:
            raise RegistryError(f"There is no run {run_id}.", remedy="Record it first.")
        self.files.setdefault(run_id, {}).update(files)
        if note:
            self.notes[run_id] = note

    def _keep(self, run: KeptRun) -> str:
        run_id = f"run-{len(self.runs) + 1}"
        self.runs[run_id] = run
        return run_id
