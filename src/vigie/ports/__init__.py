"""What the loop needs from the outside world, as Protocols named after the thing.

Adapters implement them, ``vigie.testing`` publishes a complete fake of each, and one conformance suite per port runs on
both. Adapters raise ``VigieError`` only and chain the driver's own error.
"""

from asyncio import Future
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol
from uuid import UUID

from msgspec import Struct

from vigie.domain.alert import Alert
from vigie.domain.event import Event, EventKind
from vigie.domain.model import ModelVersion, RunRecord, TrackedRuns
from vigie.domain.prediction import Feedback, FeedbackStatus, Prediction
from vigie.domain.schema import Schema, Value
from vigie.domain.service import ServiceSample
from vigie.errors import StorageError
from vigie.ports.log import Expired, Exports, Held, HourCounts, LoggedDay, LoggedRows, PredictionLog, Tally

__all__ = [
    "Clock",
    "EncodedRows",
    "Expired",
    "Exports",
    "Held",
    "HourCounts",
    "IdSource",
    "Ledger",
    "LoggedDay",
    "LoggedRows",
    "Members",
    "ModelRegistry",
    "Notifier",
    "PredictionLog",
    "PredictionWriter",
    "Replay",
    "RowEncoder",
    "ServiceProbe",
    "ServiceSample",
    "Tally",
    "Tracker",
]

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

    def take(self, at_us: int, n: int) -> list[bytes]:
        """Return ``n`` fresh version 7 UUIDs, 16 bytes each, whose time is ``at_us`` microseconds after 1970."""
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
class Replay:
    """An answer kept under a caller's ``Idempotency-Key``, so that a retry gets the same bytes.

    Attributes:
        key: who asked and the key, at most 300 characters; the same for every retry.
        request_digest: SHA-256 of method, path and body; another one under the same key is another request.
        response: the body as it was sent.
        content_type: of the body.
    """

    key: str
    request_digest: bytes
    response: bytes
    content_type: str


class EncodedRows(Struct, frozen=True):
    """Answers as a writer takes them: ``table`` and ``rows`` come from one ``RowEncoder`` of that writer."""

    table: object
    rows: Sequence[tuple[Any, ...]]


class RowEncoder(Protocol):
    """Turns the answers of one model under one schema into rows, without an object per row."""

    @property
    def table(self) -> object:
        """Where the rows go; goes into ``EncodedRows`` as it is."""
        ...

    def encode(  # noqa: PLR0913, PLR0917  a record's fields, passed as they are on the hot path
        self,
        prediction_id: bytes,
        at_us: int,
        version: str,
        entity: str | None,
        latency_us: int | None,
        prediction: Prediction,
        values: Sequence[Value],
    ) -> tuple[Any, ...]:
        """Return one row.

        Args:
            prediction_id: the 16 bytes of a version 7 UUID.
            at_us: when it was answered, microseconds since 1970, UTC.
            version: of the model.
            entity: whom the row is about, if known.
            latency_us: how long the answer took before it was logged.
            prediction: what the model said.
            values: the features in the schema's order, None for missing.

        Raises:
            SchemaMismatchError: a value cannot be kept as the schema's kind; the violation's row is 0.
            ValueError: the id is not a version 7 UUID, or the number of values is wrong.
        """
        ...


class PredictionWriter(Protocol):
    """A server's way into the log: a bounded queue, and one group commit for whatever waits in it.

    ``reserve``, ``submit``, ``keep``, ``release`` and ``feedback`` do not block; ``submit``, ``keep`` and ``feedback``
    are called on a running event loop, to which the futures belong. A future that is cancelled before its group begins
    is not kept.
    """

    @property
    def mode(self) -> Literal["durable", "fast"]:
        """What an acknowledgement survives: a power cut too, or a crash of the process only."""
        ...

    def reserve(self, rows: int) -> None:
        """Take room in the queue before the model runs.

        Raises:
            StorageError: the queue is full (``retryable``), or the log failed lately, is broken or closed.
        """
        ...

    def release(self, rows: int) -> None:
        """Give room back that nothing was submitted for."""
        ...

    def encoder(self, model: str, schema: Schema, *, variant: str | None = None) -> RowEncoder:
        """Return what encodes a served model's answers; it is made once and used for every request."""
        ...

    def submit(self, batch: EncodedRows, replay: Replay | None = None) -> "Future[Replay | None]":
        """Keep answers in the room reserved for them, all or none, and with them the response under its key.

        The future is done when the group is committed: None says that the answers are kept. When an answer is kept
        under the replay's key already, or another request of the same group brought it, nothing of this batch is kept
        and the future gives that earlier answer: send it, or refuse when its digest is another. So a retry counts once,
        also while the first try still waits and when another process has it.

        Raises (by the future):
            StorageError: nothing was kept. The caller must not answer.
        """
        ...

    def keep(self, batch: EncodedRows, told: Callable[[StorageError | None], None]) -> None:
        """Keep answers as ``submit`` does, and call a function instead of settling a future, which costs as much again.

        Args:
            batch: answers, in the room reserved for them.
            told: called once on the event loop, never before this returns: with None when they are kept, else with why
                not. It must not raise.
        """
        ...

    def replayed(self, key: str) -> Replay | None:
        """Return the answer committed under a key in the last 24 hours: a short read, before the model runs.

        What still waits is not seen; ``submit`` sees it.

        Raises:
            StorageError: the log cannot be read.
        """
        ...

    def feedback(
        self, model: str, items: Sequence[Feedback], *, received_at: datetime
    ) -> "Future[list[FeedbackStatus]]":
        """Keep outcomes in the next group, one status per item, in order; see ``PredictionLog.record_feedback``.

        Raises:
            StorageError: as ``reserve``, or by the future: nothing was kept.
            SchemaMismatchError: an outcome cannot be said in JSON; nothing was kept.
        """
        ...

    def depth(self) -> int:
        """Return how many rows are reserved or wait."""
        ...

    def last_sync_s(self) -> float | None:
        """Return how long the latest commit took, in seconds; None before the first."""
        ...

    def check(self) -> None:
        """Really write and commit one number in the next group; blocks, so call it from a thread.

        Raises:
            StorageError: the log cannot be written.
        """
        ...

    def close(self) -> None:
        """Commit what waits, then release what is held; a second call does nothing."""
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


class ServiceProbe(Protocol):
    """A way to ask the server how it does."""

    def sample(self) -> ServiceSample:
        """Return its counters and gauges; a server that does not answer is a sample that says why."""
        ...


class Notifier(Protocol):
    """A way to reach a person."""

    def send(self, alert: Alert) -> None:
        """Deliver an alert.

        Raises:
            StorageError: the channel failed; the loop goes on.
        """
        ...
