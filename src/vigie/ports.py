"""What the loop needs from the outside world, as Protocols named after the thing.

Adapters implement them, ``vigie.testing`` publishes a complete fake of each, and one conformance suite per port runs on
both. Adapters raise ``VigieError`` only and chain the driver's own error.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

import pyarrow as pa

from vigie.domain.alert import Alert
from vigie.domain.event import Event, EventKind
from vigie.domain.model import ModelVersion, RunRecord, TrackedRuns
from vigie.domain.prediction import Feedback, FeedbackStatus, PredictionRecord
from vigie.domain.schema import Schema
from vigie.domain.window import Window

Members = Mapping[str, bytes]
"""A bundle as plain bytes by member name; what it means is the bundle room's business."""


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> datetime:
        """Return the present, aware UTC."""
        ...


class IdSource(Protocol):
    """The only source of prediction ids."""

    def new_id(self, at: datetime) -> UUID:
        """Return a fresh version 7 UUID whose time is ``at``."""
        ...


class Tracker(Protocol):
    """Where runs are kept and compared (MLflow)."""

    def record(self, experiment: str, parent: RunRecord, children: Sequence[RunRecord]) -> TrackedRuns:
        """Keep one parent run with its children.

        Raises:
            RegistryError: the tracking store refused or cannot be reached.
        """
        ...

    def attach(self, run_id: str, files: Mapping[str, bytes], *, note: str = "") -> None:
        """Keep files with a run, and show a note in Markdown beside it; an empty note changes none.

        Args:
            run_id: as ``record`` gave it.
            files: content by name; a name may hold folders (``charts/roc.png``).
            note: a long one is cut at the end of a line.

        Raises:
            RegistryError: the tracking or the artifact store refused or cannot be reached.
        """
        ...


class ModelRegistry(Protocol):
    """Where versions and aliases live (MLflow)."""

    def publish(self, name: str, members: Members, *, run_id: str, tags: Mapping[str, str]) -> ModelVersion:
        """Store a bundle with a run and register it as the next version of ``name``; all of it or nothing.

        Raises:
            RegistryError: the registry or the artifact store refused or cannot be reached.
        """
        ...

    def version(self, name: str, wanted: str) -> ModelVersion:
        """Return one version by number (``"3"``) or alias (``"champion"``).

        Raises:
            ModelNotFoundError: no such model, version or alias.
        """
        ...

    def versions(self, name: str) -> list[ModelVersion]:
        """Return every version, oldest first; empty when the model is unknown."""
        ...

    def members(self, name: str, version: str) -> dict[str, bytes]:
        """Return the bundle of a version as it was published.

        Raises:
            ModelNotFoundError: no such version.
            StorageError: the artifact store failed.
        """
        ...

    def signature(self, name: str, version: str) -> bytes | None:
        """Return the signature beside the manifest of a version, None when it has none.

        Raises:
            ModelNotFoundError: no such version.
        """
        ...

    def sign(self, name: str, version: str, signature: bytes) -> None:
        """Put a signature beside the manifest of a version, in place of an older one.

        Raises:
            ModelNotFoundError: no such version.
        """
        ...

    def alias(self, name: str, alias: str) -> str | None:
        """Return the version number an alias points to, None when it points nowhere."""
        ...

    def point(self, name: str, alias: str, version: str) -> None:
        """Make an alias point to a version. Last writer wins here: callers hold the ledger's lease."""
        ...


@dataclass(frozen=True, slots=True)
class LoggedRows:
    """Logged predictions of one window, oldest first; both tables have one row per prediction, in the same order.

    Attributes:
        features: one column per feature of the schema, null for missing: float64 for numbers, int64 for integers,
            bool for booleans, string for categories.
        records: ``id`` string, ``at`` timestamp[us, UTC], ``version`` string, ``entity`` string, ``latency_us``
            int64, ``value`` float64 (regression, else null), ``label`` string (JSON text of the predicted class,
            null for regression), ``probabilities`` list<float64> (null for regression), ``outcome`` string (JSON
            text of the outcome, null while unknown), ``observed_at`` and ``received_at`` timestamp[us, UTC]
            (when the outcome was seen, when it reached us).
    """

    features: pa.Table
    records: pa.Table


class PredictionLog(Protocol):
    """The memory of every answer and its outcome."""

    def append(self, model: str, schema: Schema, records: Sequence[PredictionRecord]) -> None:
        """Keep answers; when it returns, they survive a crash and, in durable mode, a power cut.

        All or nothing: on an error none of ``records`` is kept.

        Raises:
            StorageError: the log is full, locked or broken. The caller must not answer.
        """
        ...

    def record_feedback(
        self, model: str, feedback: Sequence[Feedback], *, received_at: datetime
    ) -> list[FeedbackStatus]:
        """Keep outcomes, one status per item, in order. A conflict changes nothing and does not stop the others."""
        ...

    def rows(self, model: str, schema: Schema, window: Window, *, version: str | None = None) -> LoggedRows:
        """Return the predictions made in a window under this schema, with outcomes where known."""
        ...

    def outcomes(self, model: str, schema: Schema, received: Window, *, version: str | None = None) -> LoggedRows:
        """Return the predictions whose outcome reached us in a window, whenever they were made, oldest first."""
        ...

    def count(self, model: str, window: Window | None = None) -> int:
        """Return how many predictions of a model are logged, in a window or in all."""
        ...

    def find(self, prediction_id: UUID) -> tuple[str, str, datetime]:
        """Return ``(model, version, at)`` of one prediction.

        Raises:
            UnknownPredictionError: nothing was logged under this id.
        """
        ...

    def check(self) -> None:
        """Do nothing when the log can be written.

        Raises:
            StorageError: it cannot.
        """
        ...

    def close(self) -> None:
        """Release what is held; a second call does nothing."""
        ...


class Ledger(Protocol):
    """The append-only record of what the loop did and why, and the lease that lets one process change a model."""

    def append(self, event: Event) -> Event:
        """Keep an event and return it with its ``seq``."""
        ...

    def events(self, model: str, *, kinds: Sequence[EventKind] = (), version: str | None = None) -> list[Event]:
        """Return a model's events, oldest first, of some kinds or of all."""
        ...

    def lease(self, name: str, *, owner: str, ttl_s: float) -> AbstractContextManager[None]:
        """Hold the right to change a model inside a ``with`` block.

        A lease left behind by a crash expires after ``ttl_s`` seconds.

        Raises:
            LeaseHeldError: somebody else holds it.
        """
        ...

    def close(self) -> None:
        """Release what is held; a second call does nothing."""
        ...


class Notifier(Protocol):
    """A way to reach a person."""

    def send(self, alert: Alert) -> None:
        """Deliver an alert.

        Raises:
            StorageError: the channel failed; the loop goes on.
        """
        ...
