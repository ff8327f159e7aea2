"""A registry and a tracker that open MLflow only when they must: importing it costs seconds, most questions need none.

Which version an alias names stands in one row of MLflow's SQLite store, and what a version holds never changes and lies
in the bundle cache of a project that serves. Whatever is not found there as expected is asked of MLflow itself.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import Final

from vigie.adapters.bundle_cache import BundleCache
from vigie.adapters.mlflow_store import sqlite_file
from vigie.domain.model import ModelVersion, RunRecord, TrackedRuns
from vigie.ports import Members, ModelRegistry, Tracker

_WAIT_S: Final = 5.0

# MLflow 3 keeps registered models in workspaces, of which an embedded store has the one of this name. An older layout
# has no such column: the question then fails, and MLflow is asked.
_NAMED: Final = "SELECT version FROM registered_model_aliases WHERE workspace = 'default' AND name = ? AND alias = ?"


class SparingRegistry:
    """Implements ``ports.ModelRegistry`` in front of another one.

    Args:
        uri: of MLflow's store; another kind than a SQLite file is always asked through MLflow.
        cache: bundles by version; None where those of the registry must be seen, since they may have been signed later.
        open_registry: opens MLflow's; called once at most, when something needs it.
    """

    def __init__(self, uri: str, cache: BundleCache | None, open_registry: Callable[[], ModelRegistry]) -> None:
        self._file = sqlite_file(uri)
        self._cache = cache
        self._open = open_registry

    @cached_property
    def _whole(self) -> ModelRegistry:
        return self._open()

    def alias(self, name: str, alias: str) -> str | None:
        """Return the version number an alias points to, None when it points nowhere."""
        found = None if self._file is None else alias_in(self._file, name, alias)
        return self._whole.alias(name, alias) if found is None else found

    def members(self, name: str, version: str) -> dict[str, bytes]:
        """Return the bundle of a version as it was published; opening it checks every digest, wherever it came from."""
        if self._cache is not None and version in self._cache.versions(name):
            return self._cache.load(name, version)
        return self._whole.members(name, version)

    def publish(self, name: str, members: Members, *, run_id: str, tags: Mapping[str, str]) -> ModelVersion:
        """Store a bundle with a run and register it as the next version."""
        return self._whole.publish(name, members, run_id=run_id, tags=tags)

    def version(self, name: str, wanted: str) -> ModelVersion:
        """Return one version by number or alias."""
        return self._whole.version(name, wanted)

    def versions(self, name: str) -> list[ModelVersion]:
        """Return every version, oldest first."""
        return self._whole.versions(name)

    def signature(self, name: str, version: str) -> bytes | None:
        """Return the signature beside the manifest of a version."""
        return self._whole.signature(name, version)

    def sign(self, name: str, version: str, signature: bytes) -> None:
        """Put a signature beside the manifest of a version."""
        self._whole.sign(name, version, signature)

    def point(self, name: str, alias: str, version: str) -> None:
        """Make an alias point to a version."""
        self._whole.point(name, alias, version)


class LateTracker:
    """Implements ``ports.Tracker`` by one that is opened when there is something to keep."""

    def __init__(self, open_tracker: Callable[[], Tracker]) -> None:
        self._open = open_tracker

    @cached_property
    def _whole(self) -> Tracker:
        return self._open()

    def record(self, experiment: str, parent: RunRecord, children: Sequence[RunRecord]) -> TrackedRuns:
        """Keep one parent run with its children."""
        return self._whole.record(experiment, parent, children)

    def attach(self, run_id: str, files: Mapping[str, bytes], *, note: str = "") -> None:
        """Keep files with a run, and show a note beside it."""
        self._whole.attach(run_id, files, note=note)


def alias_in(file: Path, name: str, alias: str) -> str | None:
    """Return the version an alias names in MLflow's SQLite store; None where it cannot be told without MLflow.

    Args:
        file: the store; it is only read.
        name: of the registered model.
        alias: as it was set.
    """
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=_WAIT_S)) as store:
            row = store.execute(_NAMED, (name, alias)).fetchone()
    except sqlite3.Error:  # no file, another layout, locked for long: MLflow says what is wrong, in its own words
        return None
    return None if row is None else str(row[0])
