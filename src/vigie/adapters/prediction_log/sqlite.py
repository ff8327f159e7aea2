"""The prediction log in one SQLite file."""

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pyarrow as pa

from vigie.adapters.prediction_log.decoding import decode
from vigie.adapters.prediction_log.encoding import RowEncoder, encode_records
from vigie.adapters.prediction_log.feedback import encode_feedback, keep_feedback
from vigie.adapters.prediction_log.store import SQL, STORE, TABLE_SQL, open_file
from vigie.adapters.prediction_log.table import on_table
from vigie.adapters.sqlite.moments import EPOCH, MICROSECOND, microseconds
from vigie.domain.prediction import Feedback, FeedbackStatus, PredictionRecord
from vigie.domain.schema import Schema
from vigie.domain.window import Window
from vigie.errors import StorageError, UnknownPredictionError
from vigie.ports import LoggedRows

_CHUNK: Final = 65_536  # a longer read would keep the WAL from being reset under the writer
_TAIL_BITS: Final = 80  # of a version 7 UUID, below its 48 bits of milliseconds
_LAST_MS: Final = 2**48 - 1


class SqlitePredictionLog:
    """Implements ``ports.PredictionLog`` with one typed table per model and feature schema.

    Safe to call from several threads, and from several processes on one machine; see ``SqliteFile`` for how they queue
    and for what happens after a failed write.
    """

    def __init__(self, path: Path, *, durable: bool) -> None:
        """Open the log, or start one.

        Args:
            path: the database file; ``.lock``, ``-wal`` and ``-shm`` live beside it.
            durable: True keeps what was acknowledged through a power cut, False through a crash of the process only.

        Raises:
            StorageError: the file cannot be used; the message says why.
        """
        self._file = open_file(path, durable=durable)
        self._encoders: dict[tuple[str, str], RowEncoder] = {}

    def append(self, model: str, schema: Schema, records: Sequence[PredictionRecord]) -> None:
        """Keep answers, all or none; see ``ports.PredictionLog``.

        Raises:
            StorageError: the log is full, locked or broken, or an id is there already.
            SchemaMismatchError: a value does not fit the schema's kind.
            ValueError: an id is not a version 7 UUID, a time has no zone, or the number of features is wrong.
        """
        if not records:
            return
        encoder = self._encoders.setdefault((model, schema.digest), RowEncoder(model, schema))
        rows = encode_records(encoder, records)
        with self._file.write() as connection:
            try:
                state = encoder.table.insert(connection, rows)
            except sqlite3.IntegrityError as exc:
                problem = "a prediction id is in it already; none of the records was kept."
                raise StorageError(STORE, problem, retryable=False, remedy="Give each answer a fresh id.") from exc
        encoder.table.state = state

    def record_feedback(
        self, model: str, feedback: Sequence[Feedback], *, received_at: datetime
    ) -> list[FeedbackStatus]:
        """Keep outcomes in one transaction, one status per item in order; see ``ports.PredictionLog``.

        ``unmatched`` stands in for ``recorded``, ``replaced`` and ``unchanged`` while no prediction of ``model`` is
        logged under the id.

        Raises:
            StorageError: nothing was kept.
            SchemaMismatchError: an outcome cannot be said in JSON; nothing was kept.
        """
        received_us = microseconds(received_at)
        items = encode_feedback(feedback)
        if not items:
            return []
        with self._file.write() as connection:
            return keep_feedback(connection, model, items, received_us)

    def rows(self, model: str, schema: Schema, window: Window, *, version: str | None = None) -> LoggedRows:
        """Return a window's predictions with their outcomes, oldest first; see ``ports.PredictionLog``.

        Predictions logged under another schema digest are not among them.
        """
        with self._file.read() as connection:
            found = connection.execute(SQL["find_table"], {"model": model, "hash": schema.digest}).fetchone()
            if found is None:
                return decode(schema, [])
            bounds = {**_bounds(window, found[1]), "model": model, "version": version}
            return _joined(schema, _chunks(connection, _read("read", found[0], len(schema.features)), bounds))

    def outcomes(self, model: str, schema: Schema, received: Window, *, version: str | None = None) -> LoggedRows:
        """Return the predictions whose outcome arrived in a window; see ``ports.PredictionLog``."""
        with self._file.read() as connection:
            found = connection.execute(SQL["find_table"], {"model": model, "hash": schema.digest}).fetchone()
            if found is None:
                return decode(schema, [])
            times = {"start": microseconds(received.start), "end": microseconds(received.end), "after": b""}
            bounds = {**times, "model": model, "version": version}
            return _joined(schema, _chunks(connection, _read("read_received", found[0], len(schema.features)), bounds))

    def count(self, model: str, window: Window | None = None) -> int:
        """Return how many predictions of a model are logged, under all of its schemas."""
        total = 0
        with self._file.read() as connection:
            for n, skew_ms in connection.execute(SQL["tables_of"], {"model": model}).fetchall():
                name = "count" if window is None else "count_window"
                bounds = {} if window is None else _bounds(window, skew_ms)
                total += connection.execute(on_table(name, n), bounds).fetchone()[0]
        return total

    def find(self, prediction_id: UUID) -> tuple[str, str, datetime]:
        """Return ``(model, version, at)`` of one prediction.

        Raises:
            UnknownPredictionError: nothing was logged under this id.
        """
        with self._file.read() as connection:
            for n, model in connection.execute(SQL["all_tables"]).fetchall():
                row = connection.execute(on_table("find", n), {"id": prediction_id.bytes}).fetchone()
                if row:
                    return model, row[0], EPOCH + row[1] * MICROSECOND
        raise UnknownPredictionError(str(prediction_id))

    def check(self) -> None:
        """Really write and commit one number.

        Raises:
            StorageError: the log cannot be written.
        """
        with self._file.write() as connection:
            connection.execute(SQL["probe"])

    def close(self) -> None:
        """Release the file; a second call does nothing."""
        self._file.close()


@cache
def _read(name: str, n: int, width: int) -> str:
    features = "".join(f", p.f_{place}" for place in range(width))
    return TABLE_SQL[name].format(table=f"p_{n:d}", features=features)


def _bounds(window: Window, skew_ms: int) -> dict[str, Any]:
    """Return the times of a window and the range of ids that can lie in it."""
    start, end = microseconds(window.start), microseconds(window.end)
    first_ms = min(max(start // 1000 - skew_ms, 0), _LAST_MS)
    last_ms = min(max(end // 1000 + skew_ms, 0), _LAST_MS)
    before = (first_ms << _TAIL_BITS) - 1  # the read begins after an id, so that chunks can go on where one ended
    last = (last_ms << _TAIL_BITS) | (1 << _TAIL_BITS) - 1
    return {
        "start": start,
        "end": end,
        "after": before.to_bytes(16, "big") if before >= 0 else b"",
        "last": last.to_bytes(16, "big"),
    }


def _joined(schema: Schema, chunks: Iterator[list[tuple[Any, ...]]]) -> LoggedRows:
    parts = [decode(schema, []), *(decode(schema, chunk) for chunk in chunks)]
    features = pa.concat_tables([part.features for part in parts])
    return LoggedRows(features, pa.concat_tables([part.records for part in parts]))


def _chunks(connection: sqlite3.Connection, query: str, bounds: dict[str, Any]) -> Iterator[list[tuple[Any, ...]]]:
    after = bounds["after"]
    while True:
        chunk = connection.execute(query, {**bounds, "after": after, "limit": _CHUNK}).fetchall()
        if chunk:
            yield chunk
        if len(chunk) < _CHUNK:
            return
        after = chunk[-1][0]
