"""The server's way into the log: requests queue, and one thread commits and acknowledges whatever waits, as a group.

A commit in durable mode costs one sync of the disk, however many rows it holds. So nobody waits for a batch to fill:
the thread takes what is there, and while it syncs, the next group gathers by itself.
"""

import asyncio
import atexit
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent import futures
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, Final, Literal, TypeGuard

from msgspec import Struct

from vigie.adapters.prediction_log import replays
from vigie.adapters.prediction_log.encoding import RowEncoder
from vigie.adapters.prediction_log.feedback import Item, encode_feedback, keep_feedback
from vigie.adapters.prediction_log.refusals import CLOSED, again, blames_a_batch, full, refusal, unexpected
from vigie.adapters.prediction_log.store import SQL, open_file
from vigie.adapters.prediction_log.table import PredictionTable
from vigie.adapters.sqlite.file import CHECKPOINT_PAGES, OccupiedError
from vigie.adapters.sqlite.moments import microseconds
from vigie.domain.prediction import Feedback, FeedbackStatus
from vigie.domain.schema import Schema
from vigie.errors import StorageError
from vigie.ports import Clock, EncodedRows, Replay

logger = logging.getLogger("vigie.log")

_PAUSE_S: Final = 0.25  # after a failure, before new requests may try the log again
_PURGE_EVERY_S: Final = 60.0  # of answers under expired keys
_IDLE_S: Final = 1.0  # without a request, before the WAL is brought into the database
_CHECK_S: Final = 15.0  # longer than any wait for another process
_CLOSE_S: Final = 30.0
_MANY_ROWS: Final = 2_000  # take milliseconds: the event loop does not


class _Job(Struct):
    """What waits: whom to tell (on which loop, if any), how many rows it counts for, and whether it is still wanted."""

    tell: Callable[[Any], None]
    loop: asyncio.AbstractEventLoop | None
    n_rows: int
    has_left: Callable[[], bool] | None


class _Answers(_Job):
    batch: EncodedRows
    replay: Replay | None


class _Outcomes(_Job):
    model: str
    items: Sequence[Item]
    received_us: int


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
        self._arrived: list[_Job] = []  # in this turn of the event loop
        self._handing_on: asyncio.AbstractEventLoop | None = None  # the loop that will, at the end of its turn
        self._queue: SimpleQueue[list[_Job] | None] = SimpleQueue()
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
        tell = partial(_fulfil, future)
        self._arrive(_Answers(tell, loop, len(batch.rows), future.cancelled, batch, replay), loop)
        return future

    def keep(self, batch: EncodedRows, told: Callable[[StorageError | None], None]) -> None:
        """Keep answers in the room reserved for them, without a future; see ``ports.PredictionWriter``."""
        loop = asyncio.get_running_loop()
        self._arrive(_Answers(told, loop, len(batch.rows), None, batch, None), loop)

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
        tell, received_us = partial(_fulfil, future), microseconds(received_at)
        self._arrive(_Outcomes(tell, loop, len(encoded), future.cancelled, model, encoded, received_us), loop)
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
        self._put([_Job(partial(_fulfil, future), None, 0, None)])
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

    def _arrive(self, job: _Job, loop: asyncio.AbstractEventLoop) -> None:
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

    def _put(self, group: list[_Job]) -> None:
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
                    self._checkpoint(pages=0)
                continue
            group, is_last = self._gather(first)
            self._settle(group)
            if is_last:
                return
            self._checkpoint(pages=CHECKPOINT_PAGES)

    def _gather(self, arrived: list[_Job] | None) -> tuple[list[_Job], bool]:
        """Return everything that waits, and whether nothing will come after it."""
        group: list[_Job] = []
        with suppress(Empty):
            while arrived is not None:
                group += arrived
                arrived = self._queue.get_nowait()
        return group, arrived is None

    def _settle(self, group: Sequence[_Job], *, patient: bool = True) -> None:
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
            self._finish(zip(wanted, outcomes, strict=True))

    def _settle_failed(self, group: Sequence[_Job], exc: Exception, *, patient: bool) -> None:
        if blames_a_batch(exc) and len(group) > 1:
            for job in group:  # one by one: the others must not pay for it
                self._settle([job], patient=patient)
            return
        failure = exc if isinstance(exc, StorageError) else unexpected(exc)
        if not blames_a_batch(exc):
            self._pause(failure)
        self._finish([(job, again(failure)) for job in group])

    def _commit(self, group: Sequence[_Job], *, patient: bool) -> list[Any]:
        """Write and commit a group; return what to tell each of its jobs."""
        is_time_to_purge = monotonic() >= self._may_purge_at
        (first, *more) = group
        if not more and not is_time_to_purge and _is_one_statement(first):
            self._commit_one(first, patient=patient)
            return [None]
        outcomes: list[Any] = [None] * len(group)
        rows: dict[PredictionTable, list[tuple[Any, ...]]] = {}
        with self._file.commit(patient=patient) as connection:
            for place, job in enumerate(group):
                if isinstance(job, _Answers):
                    if job.replay is not None:
                        outcomes[place] = replays.claim(connection, job.replay, self._now_us())
                    if outcomes[place] is None and job.batch.rows:
                        rows.setdefault(_table(job.batch), []).extend(job.batch.rows)
            states = [(table, table.insert(connection, kept)) for table, kept in rows.items()]
            for place, job in enumerate(group):
                if not isinstance(job, _Answers):
                    outcomes[place] = _keep_other(connection, job)
            if is_time_to_purge:
                self._purge(connection)
            started_s = monotonic()
        self._last_sync_s = monotonic() - started_s
        for table, state in states:
            table.state = state
        return outcomes

    def _commit_one(self, job: _Answers, *, patient: bool) -> None:
        """Write a few rows that came alone: what ``_commit`` does, in two thirds of the time."""
        with self._file.commit(patient=patient, is_one_statement=True) as connection:
            started_s = monotonic()
            _table(job.batch).insert(connection, job.batch.rows)
        self._last_sync_s = monotonic() - started_s

    def _purge(self, connection: sqlite3.Connection) -> None:
        pause_s = 0.0 if replays.purge(connection, self._now_us()) else _PURGE_EVERY_S
        self._may_purge_at = monotonic() + pause_s

    def _now_us(self) -> int:
        return microseconds(self._clock.now())

    def _checkpoint(self, *, pages: int) -> None:
        try:
            self._file.checkpoint(pages=pages)
        except StorageError as exc:
            self._pause(exc)

    def _pause(self, trouble: StorageError) -> None:
        until_s = float("inf") if self._file.is_stopped else monotonic() + _PAUSE_S
        self._trouble = (trouble, until_s)

    def _finish(self, settled: Iterable[tuple[_Job, Any]]) -> None:
        """Give the room back and tell everybody, with one call for each loop."""
        by_loop: dict[asyncio.AbstractEventLoop | None, list[tuple[Callable[[Any], None], Any]]] = {}
        n_rows = 0
        for job, outcome in settled:
            n_rows += job.n_rows
            by_loop.setdefault(job.loop, []).append((job.tell, outcome))
        self.release(n_rows)
        here = asyncio._get_running_loop()  # noqa: SLF001 - documented for event loops; None without one
        for loop, told in by_loop.items():
            if loop is None or loop is here:
                _tell(told)
            else:
                with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                    loop.call_soon_threadsafe(_tell, told)


def _tell(told: Sequence[tuple[Callable[[Any], None], Any]]) -> None:
    for tell, outcome in told:
        try:
            tell(outcome)
        except Exception:  # the promise kept: whoever else waits is told
            logger.exception("whoever waited for the prediction log did not take its word")


def _fulfil(future: Any, outcome: Any) -> None:
    if future.done():  # cancelled meanwhile
        return
    if isinstance(outcome, StorageError):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


def _keep_other(connection: sqlite3.Connection, job: _Job) -> Any:
    """Keep outcomes, or the probe of a check; return what to tell."""
    if isinstance(job, _Outcomes):
        return keep_feedback(connection, job.model, job.items, job.received_us)
    connection.execute(SQL["probe"])
    return None


def _is_one_statement(job: _Job) -> TypeGuard[_Answers]:
    if not isinstance(job, _Answers) or job.replay is not None or not job.batch.rows:
        return False
    return _table(job.batch).takes_one_statement(job.batch.rows)


def _table(batch: EncodedRows) -> PredictionTable:
    if not isinstance(batch.table, PredictionTable):
        raise TypeError("the rows come from the encoder of another writer")
    return batch.table
