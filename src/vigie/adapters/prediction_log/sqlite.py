"""The prediction log in one SQLite file."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from uuid import UUID

import pyarrow as pa

from vigie.adapters.prediction_log.bounds import window_bounds
from vigie.adapters.prediction_log.encoding import RowEncoder, encode_records
from vigie.adapters.prediction_log.erasure import erase_entity, find_entity
from vigie.adapters.prediction_log.expiry import expire
from vigie.adapters.prediction_log.feedback import encode_feedback, keep_feedback
from vigie.adapters.prediction_log.hours import HourlyCounts
from vigie.adapters.prediction_log.reading import joined, read_days, read_received, read_records, read_window
from vigie.adapters.prediction_log.store import SQL, STORE, open_file
from vigie.adapters.prediction_log.table import on_table
from vigie.adapters.sqlite.moments import EPOCH, MICROSECOND, microseconds
from vigie.domain.prediction import Feedback, FeedbackStatus, PredictionRecord
from vigie.domain.schema import Schema
from vigie.domain.window import Window
from vigie.errors import StorageError, UnknownPredictionError
from vigie.ports import Expired, Held, HourCounts, LoggedDay, LoggedRows, Tally


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
        return joined(schema, read_window(self._file, model, schema, window, version))

    def records(self, model: str, schema: Schema, window: Window, *, version: str | None = None) -> pa.Table:
        """Return the ``records`` of ``rows`` alone; see ``ports.PredictionLog``."""
        return read_records(self._file, model, schema, window, version)

    def stream(self, model: str, schema: Schema, window: Window, *, version: str | None = None) -> Iterator[LoggedRows]:
        """Yield what ``rows`` returns in parts, oldest first; see ``ports.PredictionLog``."""
        return read_window(self._file, model, schema, window, version)

    def outcomes(self, model: str, schema: Schema, received: Window, *, version: str | None = None) -> LoggedRows:
        """Return the predictions whose outcome arrived in a window; see ``ports.PredictionLog``."""
        return joined(schema, read_received(self._file, model, schema, received, version))

    def hours(self, model: str, schema: Schema, window: Window, tally: Tally, *, version: str) -> list[HourCounts]:
        """Return a version's counts of the whole hours of a window, oldest first; see ``ports.PredictionLog``."""
        return HourlyCounts(model, schema, version, tally).read(self._file, window)

    def days(self, model: str, first: date | None = None, last: date | None = None) -> list[LoggedDay]:
        """Return the days with predictions that are still whole, oldest first; see ``ports.PredictionLog``."""
        return sorted(read_days(self._file, model, first, last), key=lambda day: day.day)

    def expire(self, before: datetime, told: Callable[[int], None] | None = None) -> Expired:
        """Delete what was predicted before a time; see ``ports.PredictionLog``.

        Raises:
            StorageError: what is gone is gone, the rest is kept.
        """
        return expire(self._file, microseconds(before), told or _silent)

    def held(self, entity: str) -> Held:
        """Return what the log holds of an entity, under every model."""
        return find_entity(self._file, entity).counts

    def erase(self, entity: str) -> Held:
        """Delete what the log holds of an entity and look for its bytes; see ``ports.PredictionLog``.

        Raises:
            StorageError: it is not done, or not known to be; try again.
        """
        return erase_entity(self._file, entity)

    def count(self, model: str, window: Window | None = None) -> int:
        """Return how many predictions of a model are logged, under all of its schemas."""
        total = 0
        with self._file.read() as connection:
            for n, skew_ms in connection.execute(SQL["tables_of"], {"model": model}).fetchall():
                name = "count" if window is None else "count_window"
                bounds = {} if window is None else window_bounds(window, skew_ms)
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


def _silent(_n_gone: int) -> None:
    """Progress is for who asks."""
