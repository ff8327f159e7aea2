"""The server's way into the log: requests queue, and one thread commits and acknowledges whatever waits, as a group.

A commit in durable mode costs one sync of the disk, however many rows it holds. So nobody waits for a batch to fill:
the thread takes what is there, and while it syncs, the next group gathers by itself.
"""

import asyncio
import atexit
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent import futures
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, Final, Literal

from vigie.adapters.prediction_log import replays
from vigie.adapters.prediction_log.encoding import RowEncoder
from vigie.adapters.prediction_log.feedback import encode_feedback
from vigie.adapters.prediction_log.jobs import (
    Answers,
    Job,
    Outcomes,
    fulfil,
    is_one_statement,
    keep_other,
    table_of,
    tell_all,
)
from vigie.adapters.prediction_log.refusals import CLOSED, again, blames_a_batch, full, refusal, unexpected
from vigie.adapters.prediction_log.store import open_file
from vigie.adapters.prediction_log.table import PredictionTable
from vigie.adapters.sqlite.file import CHECKPOINT_BYTES, OccupiedError
from vigie.adapters.sqlite.moments import microseconds
from vigie.domain.prediction import Feedback, FeedbackStatus
from vigie.domain.schema import Schema
from vigie.errors import StorageError
from vigie.ports import Clock, EncodedRows, Replay

_PAUSE_S: Final = 0.25  # after a failure, before new requests may try the log again
_PURGE_EVERY_S: Final = 60.0  # of answers under expired keys
_IDLE_S: Final = 1.0  # without a request, before the WAL is brought into the database
_CHECK_S: Final = 15.0  # longer than any wait for another process
_CLOSE_S: Final = 30.0
_MANY_ROWS: Final = 2_000  # take milliseconds: the event loop does not


class SqlitePredictionWriter:
    """Implements ``ports.PredictionWriter`` on the file of ``SqlitePredictionLog``; one per process.

    After a failure the log is left alone for a quarter of a second: requests are refused before their model runs, then
    the next ones try it. After a failed sync nothing is acknowledged any more until the process is started anew; see
    ``SqliteFile``. What is still queued when the interpreter ends is committed.
    """

    def __init__(self, path: Path, *, durable: bool, max_waiting_rows: int, clock: Clock) -> None:
        """Open the log, or start one, and the thread that writes it.

        Args:
            path: the database file.
            durable: True keeps what was acknowledged through a power cut, False through a crash of the process only.
            max_waiting_rows: room in the queue; a batch that is larger gets in when nothing else waits.
            clock: says when an answer under an Idempotency-Key expires.

        Raises:
            StorageError: the file cannot be used; the message says why.
        """
        self._file = open_file(path, durable=durable)
        self._durable = durable
        self._max_waiting_rows = max_waiting_rows
        self._clock = clock
        self._gate = threading.Lock()  # guards what is below, and the order of the queue against closing
        self._n_waiting = 0
        self._closed = False
        self._trouble: tuple[StorageError, float] | None = None  # what to say, and until when
        self._arrived: list[Job] = []  # in this turn of the event loop
        self._handing_on: asyncio.AbstractEventLoop | None = None  # the loop that will, at the end of its turn
        self._queue: SimpleQueue[list[Job] | None] = SimpleQueue()
        self._latest_at = 0.0
        self._last_sync_s: float | None = None
        self._may_purge_at = 0.0
        self._thread = threading.Thread(target=self._run, name="vigie-log", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    @property
    def mode(self) -> Literal["durable", "fast"]:
        """What an acknowledgement survives."""
        return "durable" if self._durable else "fast"

    def reserve(self, rows: int) -> None:
        """Take room in the queue before the model runs; see ``ports.PredictionWriter``.

        Raises:
            StorageError: the queue is full (``retryable``), or the log failed lately, is broken or closed.
        """
        with self._gate:
            self._refuse_if_in_trouble()
            if self._n_waiting and self._n_waiting + rows > self._max_waiting_rows:
                raise full(self._n_waiting)
            self._n_waiting += rows

    def release(self, rows: int) -> None:
        """Give room back that nothing was submitted for."""
        with self._gate:
            self._n_waiting -= rows

    def encoder(self, model: str, schema: Schema, *, variant: str | None = None) -> RowEncoder:
        """Return what encodes a served model's answers."""
        return RowEncoder(model, schema, variant=variant)

    def submit(self, batch: EncodedRows, replay: Replay | None = None) -> asyncio.Future[Replay | None]:
        """Keep answers in the room reserved for them; see ``ports.PredictionWriter``."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Replay | None] = loop.create_future()
        tell = partial(fulfil, future)
        self._arrive(Answers(tell, loop, len(batch.rows), future.cancelled, batch, replay), loop)
        return future

    def keep(self, batch: EncodedRows, told: Callable[[StorageError | None], None]) -> None:
        """Keep answers in the room reserved for them, without a future; see ``ports.PredictionWriter``."""
        loop = asyncio.get_running_loop()
        self._arrive(Answers(told, loop, len(batch.rows), None, batch, None), loop)

    def replayed(self, key: str) -> Replay | None:
        """Return the answer committed under a key in the last 24 hours; see ``ports.PredictionWriter``.

        Raises:
            StorageError: the log cannot be read.
        """
        with self._file.read() as connection:
            return replays.find(connection, key, microseconds(self._clock.now()))

    def feedback(
        self, model: str, items: Sequence[Feedback], *, received_at: datetime
    ) -> asyncio.Future[list[FeedbackStatus]]:
        """Keep outcomes in the next group; see ``ports.PredictionWriter``.

        Raises:
            StorageError: as ``reserve``, or by the future: nothing was kept.
            SchemaMismatchError: an outcome cannot be said in JSON; nothing was kept.
        """
        encoded = encode_feedback(items)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[FeedbackStatus]] = loop.create_future()
        self.reserve(len(encoded))
        tell, received_us = partial(fulfil, future), microseconds(received_at)
        self._arrive(Outcomes(tell, loop, len(encoded), future.cancelled, model, encoded, received_us), loop)
        return future

    def depth(self) -> int:
        """Return how many rows are reserved or wait."""
        return self._n_waiting

    def last_sync_s(self) -> float | None:
        """Return how long the latest commit took, in seconds; None before the first."""
        return self._last_sync_s

    def check(self) -> None:
        """Really write and commit one number in the next group; blocks, so call it from a thread.

        Raises:
            StorageError: the log cannot be written.
        """
        future: futures.Future[None] = futures.Future()
        self._put([Job(partial(fulfil, future), None, 0, None)])
        try:
            future.result(_CHECK_S)
        except futures.TimeoutError as exc:
            raise refusal(f"it did not commit within {_CHECK_S:.0f} s.", retryable=True) from exc

    def close(self) -> None:
        """Commit what waits, then release the file; a second call does nothing."""
        with self._gate:
            if self._closed:
                return
            self._closed = True
            self._queue.put(self._arrived)
            self._arrived = []
            self._queue.put(None)
        self._thread.join(_CLOSE_S)
        self._file.close()
        atexit.unregister(self.close)

    def _arrive(self, job: Job, loop: asyncio.AbstractEventLoop) -> None:
        """Let a job wait for those that arrive in the same turn of the event loop; they are handed on together."""
        with self._gate:
            if not self._closed:
                self._arrived.append(job)
                if self._handing_on is not loop:
                    self._handing_on = loop
                    loop.call_soon(self._hand_on)
                return
        self._finish([(job, refusal(CLOSED))])

    def _hand_on(self) -> None:
        """Commit what has arrived: here when that is quick, else in the thread."""
        with self._gate:
            group, self._arrived = self._arrived, []
            self._handing_on = None
        if self._durable or sum([job.n_rows for job in group]) > _MANY_ROWS:
            self._put(group)
        else:
            self._settle(group, patient=False)
            self._latest_at = monotonic()
            if self._file.needs_checkpoint:
                self._put([])

    def _put(self, group: list[Job]) -> None:
        with self._gate:
            if not self._closed:
                self._queue.put(group)
                return
        self._finish([(job, refusal(CLOSED)) for job in group])

    def _refuse_if_in_trouble(self) -> None:
        if self._closed:
            raise refusal(CLOSED)
        if self._trouble and monotonic() < self._trouble[1]:
            raise again(self._trouble[0])

    def _run(self) -> None:
        while True:
            try:
                first = self._queue.get(timeout=_IDLE_S)
            except Empty:
                if monotonic() - self._latest_at >= _IDLE_S:
                    self._checkpoint(at_least=0)
                continue
            group, is_last = self._gather(first)
            self._settle(group)
            if is_last:
                return
            self._checkpoint(at_least=CHECKPOINT_BYTES)

    def _gather(self, arrived: list[Job] | None) -> tuple[list[Job], bool]:
        """Return everything that waits, and whether nothing will come after it."""
        group: list[Job] = []
        with suppress(Empty):
            while arrived is not None:
                group += arrived
                arrived = self._queue.get_nowait()
        return group, arrived is None

    def _settle(self, group: Sequence[Job], *, patient: bool = True) -> None:
        """Commit a group and tell everybody; when it would have to wait and must not, leave it to the thread."""
        wanted = [job for job in group if job.has_left is None or not job.has_left()]
        if len(wanted) < len(group):
            self.release(sum(job.n_rows for job in group) - sum(job.n_rows for job in wanted))
        if not wanted:
            return
        try:
            outcomes = self._commit(wanted, patient=patient)
        except OccupiedError:
            self._put(wanted)
        except Exception as exc:  # noqa: BLE001  the promise kept: whoever waits is told, and the thread lives on
            self._settle_failed(wanted, exc, patient=patient)
        else:
            self._trouble = None
            self._finish(list(zip(wanted, outcomes, strict=True)))

    def _settle_failed(self, group: Sequence[Job], exc: Exception, *, patient: bool) -> None:
        if blames_a_batch(exc) and len(group) > 1:
            for job in group:  # one by one: the others must not pay for it
                self._settle([job], patient=patient)
            return
        failure = exc if isinstance(exc, StorageError) else unexpected(exc)
        if not blames_a_batch(exc):
            self._pause(failure)
        self._finish([(job, again(failure)) for job in group])

    def _commit(self, group: Sequence[Job], *, patient: bool) -> list[Any]:
        """Write and commit a group; return what to tell each of its jobs."""
        is_time_to_purge = monotonic() >= self._may_purge_at
        (first, *more) = group
        if not more and not is_time_to_purge and is_one_statement(first):
            self._commit_one(first, patient=patient)
            return [None]
        outcomes: list[Any] = [None] * len(group)
        rows: dict[PredictionTable, list[tuple[Any, ...]]] = {}
        with self._file.commit(patient=patient) as connection:
            for place, job in enumerate(group):
                if isinstance(job, Answers):
                    if job.replay is not None:
                        outcomes[place] = replays.claim(connection, job.replay, self._now_us())
                    if outcomes[place] is None and job.batch.rows:
                        rows.setdefault(table_of(job.batch), []).extend(job.batch.rows)
            states = [(table, table.insert(connection, kept)) for table, kept in rows.items()]
            for place, job in enumerate(group):
                if not isinstance(job, Answers):
                    outcomes[place] = keep_other(connection, job)
            if is_time_to_purge:
                self._purge(connection)
            started_s = monotonic()
        self._last_sync_s = monotonic() - started_s
        for table, state in states:
            table.state = state
        return outcomes

    def _commit_one(self, job: Answers, *, patient: bool) -> None:
        """Write a few rows that came alone: what ``_commit`` does, in two thirds of the time."""
        with self._file.commit(patient=patient, is_one_statement=True) as connection:
            started_s = monotonic()
            table_of(job.batch).insert(connection, job.batch.rows)
        self._last_sync_s = monotonic() - started_s

    def _purge(self, connection: sqlite3.Connection) -> None:
        pause_s = 0.0 if replays.purge(connection, self._now_us()) else _PURGE_EVERY_S
        self._may_purge_at = monotonic() + pause_s

    def _now_us(self) -> int:
        return microseconds(self._clock.now())

    def _checkpoint(self, *, at_least: int) -> None:
        try:
            self._file.checkpoint(at_least=at_least)
        except StorageError as exc:
            self._pause(exc)

    def _pause(self, trouble: StorageError) -> None:
        until_s = float("inf") if self._file.is_stopped else monotonic() + _PAUSE_S
        self._trouble = (trouble, until_s)

    def _finish(self, settled: Sequence[tuple[Job, Any]]) -> None:
        """Give the room back and tell everybody."""
        self.release(sum([job.n_rows for job, _ in settled]))
        tell_all(settled)
