"""A writer over a prediction log: one thread appends whatever waits."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from vigie.domain.prediction import EPOCH, MICROSECOND, Feedback, FeedbackStatus, Prediction, PredictionRecord
from vigie.domain.schema import Schema, Value
from vigie.errors import StorageError
from vigie.ports import EncodedRows, PredictionLog, Replay


class RecordEncoder:
    """Implements ``ports.RowEncoder`` with records."""

    def __init__(self, model: str, schema: Schema) -> None:
        self.table = (model, schema)

    def encode(  # noqa: PLR0913, PLR0917 - the port's signature
        self,
        prediction_id: bytes,
        at_us: int,
        version: str,
        entity: str | None,
        latency_us: int | None,
        prediction: Prediction,
        values: Sequence[Value],
    ) -> tuple[Any, ...]:
        """Return one row."""
        at = EPOCH + at_us * MICROSECOND
        which = UUID(bytes=prediction_id)
        return (PredictionRecord(which, at, version, tuple(values), prediction, entity, None, latency_us),)


class ThreadedWriter:
    """Implements ``ports.PredictionWriter``.

    Args:
        log: where answers go.
        mode: the promise it keeps.
        max_rows: how many may wait.
    """

    def __init__(self, log: PredictionLog, mode: Literal["durable", "fast"], *, max_rows: int = 10_000) -> None:
        self.mode = mode
        self._log = log
        self._max_rows = max_rows
        self._reserved = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="vigie-log")
        self._waiting: list[tuple[EncodedRows, asyncio.Future[Replay | None]]] = []
        self._busy = False
        self._replays: dict[str, Replay] = {}

    def reserve(self, rows: int) -> None:
        """Take room."""
        if self._reserved and self._reserved + rows > self._max_rows:
            raise StorageError("prediction log", "too many answers wait for it.", retryable=True)
        self._reserved += rows

    def release(self, rows: int) -> None:
        """Give room back."""
        self._reserved -= rows

    def encoder(self, model: str, schema: Schema, *, variant: str | None = None) -> RecordEncoder:  # noqa: ARG002
        """Return what makes rows."""
        return RecordEncoder(model, schema)

    def submit(self, batch: EncodedRows, replay: Replay | None = None) -> "asyncio.Future[Replay | None]":
        """Keep answers with the next group."""
        loop = asyncio.get_running_loop()
        kept: asyncio.Future[Replay | None] = loop.create_future()
        if replay is not None and (earlier := self._replays.setdefault(replay.key, replay)) is not replay:
            self.release(len(batch.rows))
            kept.set_result(earlier)
            return kept
        self._waiting.append((batch, kept))
        if not self._busy:
            self._busy = True
            loop.call_soon(self._start, loop)
        return kept

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        group, self._waiting = self._waiting, []
        if not group:
            self._busy = False
            return
        done = loop.run_in_executor(self._thread, self._append, [batch for batch, _ in group])
        done.add_done_callback(lambda outcome: self._finish(loop, group, outcome))

    def _append(self, batches: list[EncodedRows]) -> None:
        tables: dict[Any, list[PredictionRecord]] = {}
        for batch in batches:
            tables.setdefault(batch.table, []).extend(row[0] for row in batch.rows)
        for (model, schema), records in tables.items():
            self._log.append(model, schema, records)

    def _finish(self, loop: asyncio.AbstractEventLoop, group: Any, outcome: "asyncio.Future[None]") -> None:
        failure = outcome.exception()
        for batch, kept in group:
            self.release(len(batch.rows))
            if kept.done():
                continue
            if failure is None:
                kept.set_result(None)
            else:
                kept.set_exception(failure)
        self._start(loop)

    def replayed(self, key: str) -> Replay | None:
        """Return the answer under a key."""
        return self._replays.get(key)

    def feedback(
        self, model: str, items: Sequence[Feedback], *, received_at: datetime
    ) -> "asyncio.Future[list[FeedbackStatus]]":
        """Keep outcomes."""
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(
            self._thread, lambda: self._log.record_feedback(model, items, received_at=received_at)
        )

    def depth(self) -> int:
        """Return how many rows are reserved."""
        return self._reserved

    def last_sync_s(self) -> float | None:
        """Return nothing: it is not measured."""
        return None

    def check(self) -> None:
        """Do nothing when the log can be written."""
        self._log.check()

    def close(self) -> None:
        """Finish, then close the log."""
        self._thread.shutdown()
        self._log.close()
