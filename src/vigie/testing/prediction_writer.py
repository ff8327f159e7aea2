"""A writer into the log in memory: it commits at the end of the event loop's turn, whatever was submitted in it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from vigie.domain.prediction import Feedback, FeedbackStatus, Prediction, PredictionRecord
from vigie.domain.schema import Schema, Value
from vigie.errors import SchemaMismatchError, StorageError
from vigie.ports import Clock, EncodedRows, Replay
from vigie.testing.clock import FakeClock
from vigie.testing.prediction_log import InMemoryPredictionLog

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LIFETIME = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class _Table:
    model: str
    schema: Schema


@dataclass(frozen=True, slots=True)
class InMemoryEncoder:
    """Implements ``ports.RowEncoder``: a row is a record, checked as the log would check it."""

    table: _Table
    variant: str | None

    def encode(  # noqa: PLR0913, PLR0917  the port's signature
        self,
        prediction_id: bytes,
        at_us: int,
        version: str,
        entity: str | None,
        latency_us: int | None,
        prediction: Prediction,
        values: Sequence[Value],
    ) -> tuple[Any, ...]:
        """Return one row; see ``ports.RowEncoder``.

        Raises:
            SchemaMismatchError: a value cannot be kept as the schema's kind.
            ValueError: the id is not a version 7 UUID, or the number of values is wrong.
        """
        record = PredictionRecord(
            id=UUID(bytes=prediction_id),
            at=EPOCH + timedelta(microseconds=at_us),
            version=version,
            features=tuple(values),
            prediction=prediction,
            entity=entity,
            variant=self.variant,
            latency_us=latency_us,
        )
        InMemoryPredictionLog().append(self.table.model, self.table.schema, [record])
        return (record,)


class InMemoryPredictionWriter:
    """Implements ``ports.PredictionWriter`` over an ``InMemoryPredictionLog``.

    Attributes:
        log: where answers and outcomes arrive; set its ``failure`` and the writer refuses too.
    """

    def __init__(
        self, log: InMemoryPredictionLog | None = None, *, max_waiting_rows: int = 1000, clock: Clock | None = None
    ) -> None:
        self.log = log or InMemoryPredictionLog()
        self._clock = clock or FakeClock()
        self._max_waiting_rows = max_waiting_rows
        self._n_waiting = 0
        self._replays: dict[str, tuple[Replay, datetime]] = {}
        self._waiting: list[Callable[[], None]] = []
        self._closed = False

    @property
    def mode(self) -> Literal["durable", "fast"]:
        """What an acknowledgement survives: the end of the process is not among it."""
        return "fast"

    def reserve(self, rows: int) -> None:
        """Take room in the queue.

        Raises:
            StorageError: the queue is full, or the log fails or is closed.
        """
        self.check()
        if self._n_waiting and self._n_waiting + rows > self._max_waiting_rows:
            problem = f"{self._n_waiting:,} rows wait for it already."
            raise StorageError("prediction log", problem, retryable=True)
        self._n_waiting += rows

    def release(self, rows: int) -> None:
        """Give room back."""
        self._n_waiting -= rows

    def encoder(self, model: str, schema: Schema, *, variant: str | None = None) -> InMemoryEncoder:
        """Return what encodes a served model's answers."""
        return InMemoryEncoder(_Table(model, schema), variant)

    def submit(self, batch: EncodedRows, replay: Replay | None = None) -> "asyncio.Future[Replay | None]":
        """Keep answers at the end of this turn of the loop; see ``ports.PredictionWriter``."""
        return self._enqueue(len(batch.rows), lambda: self._keep(batch, replay))

    def keep(self, batch: EncodedRows, told: Callable[[StorageError | None], None]) -> None:
        """Keep answers at the end of this turn of the loop, and call a function; see ``ports.PredictionWriter``."""

        def tell(kept: "asyncio.Future[Replay | None]") -> None:
            failure = kept.exception()
            if isinstance(failure, StorageError):
                told(failure)
            elif failure is not None:
                raise failure
            else:
                told(None)

        self.submit(batch).add_done_callback(tell)

    def replayed(self, key: str) -> Replay | None:
        """Return the answer committed under a key in the last 24 hours."""
        found = self._replays.get(key)
        return found[0] if found and self._clock.now() - found[1] < LIFETIME else None

    def feedback(
        self, model: str, items: Sequence[Feedback], *, received_at: datetime
    ) -> "asyncio.Future[list[FeedbackStatus]]":
        """Keep outcomes at the end of this turn of the loop.

        Raises:
            StorageError: as ``reserve``.
            SchemaMismatchError: an outcome cannot be said in JSON; nothing was kept.
        """
        InMemoryPredictionLog().record_feedback(model, items, received_at=received_at)  # only to check them
        self.reserve(len(items))
        return self._enqueue(len(items), lambda: self.log.record_feedback(model, items, received_at=received_at))

    def depth(self) -> int:
        """Return how many rows are reserved or wait."""
        return self._n_waiting

    def last_sync_s(self) -> float | None:
        """Return None: memory is never synced."""
        return None

    def check(self) -> None:
        """Raise what the log raises, and StorageError once the writer is closed."""
        self._refuse_if_closed()
        self.log.check()

    def close(self) -> None:
        """Commit what waits; the log stays open for reading. A second call does nothing."""
        self._commit()
        self._closed = True

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise StorageError("prediction log", "it is closed.", retryable=False, remedy="Open it again.")

    def _enqueue(self, rows: int, work: Callable[[], Any]) -> "asyncio.Future[Any]":
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()

        def settle() -> None:
            self.release(rows)
            if future.cancelled():
                return
            try:
                self._refuse_if_closed()
                future.set_result(work())
            except (StorageError, SchemaMismatchError) as exc:
                future.set_exception(exc)

        if not self._waiting:
            loop.call_soon(self._commit)
        self._waiting.append(settle)
        return future

    def _commit(self) -> None:
        waiting, self._waiting = self._waiting, []
        for settle in waiting:
            settle()

    def _keep(self, batch: EncodedRows, replay: Replay | None) -> Replay | None:
        if not isinstance(batch.table, _Table):
            raise TypeError("the rows come from the encoder of another writer")
        earlier = self.replayed(replay.key) if replay else None
        if earlier is None:
            self.log.append(batch.table.model, batch.table.schema, [row[0] for row in batch.rows])
            if replay:
                self._replays[replay.key] = (replay, self._clock.now())
        return earlier
