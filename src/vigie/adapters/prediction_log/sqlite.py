"""The prediction log in one SQLite file."""

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pyarrow as pa

from vigie.adapters.prediction_log.codec import SQL_TYPES, column_spec, decode, encode
from vigie.adapters.prediction_log.outcomes import Outcome, is_newer, outcome_text, weigh
from vigie.adapters.sqlite.file import SqliteFile
from vigie.adapters.sqlite.moments import EPOCH, MICROSECOND, microseconds
from vigie.adapters.sqlite.statements import migrations, named_statements, sql_folder
from vigie.domain.prediction import Feedback, FeedbackStatus, PredictionRecord
from vigie.domain.schema import Schema
from vigie.domain.window import Window
from vigie.errors import StorageError, UnknownPredictionError
from vigie.ports import LoggedRows

APPLICATION_ID: Final = 0x5647504C  # "VGPL"
_STORE: Final = "prediction log"
_CHUNK: Final = 65_536  # a longer read would keep the WAL from being reset under the writer
_TAIL_BITS: Final = 80  # of a version 7 UUID, below its 48 bits of milliseconds
_LAST_MS: Final = 2**48 - 1

_FOLDER = sql_folder("vigie.adapters.prediction_log")
_SQL: Final = named_statements(_FOLDER)
_TABLE_SQL: Final = named_statements(_FOLDER, "table.sql")
_MIGRATIONS: Final = migrations(_FOLDER)


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
        self._file = SqliteFile(
            path, store=_STORE, application_id=APPLICATION_ID, migrations=_MIGRATIONS, durable=durable
        )
        self._tables: dict[tuple[str, str], tuple[int, int]] = {}

    def append(self, model: str, schema: Schema, records: Sequence[PredictionRecord]) -> None:
        """Keep answers, all or none; see ``ports.PredictionLog``.

        Raises:
            StorageError: the log is full, locked or broken, or an id is there already.
            SchemaMismatchError: a value does not fit the schema's kind.
            ValueError: an id is not a version 7 UUID, a time has no zone, or the number of features is wrong.
        """
        if not records:
            return
        rows = encode(schema, records)
        skew_ms = max(
            abs((record.id.int >> _TAIL_BITS) - row[1] // 1000) for record, row in zip(records, rows, strict=True)
        )
        key = (model, schema.digest)
        with self._file.write() as connection:
            n, known_skew_ms = self._tables.get(key) or _table(connection, model, schema)
            if skew_ms > known_skew_ms:
                connection.execute(_SQL["raise_skew"], {"n": n, "skew_ms": skew_ms})
            try:
                connection.executemany(_insert(n, len(schema.features)), rows)
            except sqlite3.IntegrityError as exc:
                problem = "a prediction id is in it already; none of the records was kept."
                raise StorageError(_STORE, problem, retryable=False, remedy="Give each answer a fresh id.") from exc
        self._tables[key] = (n, max(skew_ms, known_skew_ms))

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
        items = [(item.prediction_id.bytes, _outcome(item, row=row)) for row, item in enumerate(feedback)]
        if not items:
            return []
        with self._file.write() as connection:
            tables = [n for n, _ in connection.execute(_SQL["tables_of"], {"model": model})]
            return [_keep(connection, model, tables, item, received_us) for item in items]

    def rows(self, model: str, schema: Schema, window: Window, *, version: str | None = None) -> LoggedRows:
        """Return a window's predictions with their outcomes, oldest first; see ``ports.PredictionLog``.

        Predictions logged under another schema digest are not among them.
        """
        with self._file.read() as connection:
            found = connection.execute(_SQL["find_table"], {"model": model, "hash": schema.digest}).fetchone()
            if found is None:
                return decode(schema, [])
            bounds = {**_bounds(window, found[1]), "model": model, "version": version}
            return _joined(schema, _chunks(connection, _read("read", found[0], len(schema.features)), bounds))

    def outcomes(self, model: str, schema: Schema, received: Window, *, version: str | None = None) -> LoggedRows:
        """Return the predictions whose outcome arrived in a window; see ``ports.PredictionLog``."""
        with self._file.read() as connection:
            found = connection.execute(_SQL["find_table"], {"model": model, "hash": schema.digest}).fetchone()
            if found is None:
                return decode(schema, [])
            times = {"start": microseconds(received.start), "end": microseconds(received.end), "after": b""}
            bounds = {**times, "model": model, "version": version}
            return _joined(schema, _chunks(connection, _read("read_received", found[0], len(schema.features)), bounds))

    def count(self, model: str, window: Window | None = None) -> int:
        """Return how many predictions of a model are logged, under all of its schemas."""
        total = 0
        with self._file.read() as connection:
            for n, skew_ms in connection.execute(_SQL["tables_of"], {"model": model}).fetchall():
                name = "count" if window is None else "count_window"
                bounds = {} if window is None else _bounds(window, skew_ms)
                total += connection.execute(_on_table(name, n), bounds).fetchone()[0]
        return total

    def find(self, prediction_id: UUID) -> tuple[str, str, datetime]:
        """Return ``(model, version, at)`` of one prediction.

        Raises:
            UnknownPredictionError: nothing was logged under this id.
        """
        with self._file.read() as connection:
            for n, model in connection.execute(_SQL["all_tables"]).fetchall():
                row = connection.execute(_on_table("find", n), {"id": prediction_id.bytes}).fetchone()
                if row:
                    return model, row[0], EPOCH + row[1] * MICROSECOND
        raise UnknownPredictionError(str(prediction_id))

    def check(self) -> None:
        """Really write and commit one number.

        Raises:
            StorageError: the log cannot be written.
        """
        with self._file.write() as connection:
            connection.execute(_SQL["probe"])

    def close(self) -> None:
        """Release the file; a second call does nothing."""
        self._file.close()


def _table(connection: sqlite3.Connection, model: str, schema: Schema) -> tuple[int, int]:
    """Return the number and skew of the table for a model's schema, made when there is none."""
    key = {"model": model, "hash": schema.digest}
    found = connection.execute(_SQL["find_table"], key).fetchone()
    if found:
        return int(found[0]), int(found[1])
    n = connection.execute(_SQL["add_table"], {**key, "spec": column_spec(schema)}).lastrowid
    kinds = [SQL_TYPES[feature.kind] for feature in schema.features]
    columns = "".join(f",\n  f_{place} {kind}" for place, kind in enumerate(kinds))
    connection.execute(_TABLE_SQL["create"].format(table=f"p_{n:d}", features=columns))
    return int(n or 0), 0


@cache
def _insert(n: int, width: int) -> str:
    features = "".join(f", f_{place}" for place in range(width))
    return _TABLE_SQL["insert"].format(table=f"p_{n:d}", features=features, marks=", ?" * width)


@cache
def _read(name: str, n: int, width: int) -> str:
    features = "".join(f", p.f_{place}" for place in range(width))
    return _TABLE_SQL[name].format(table=f"p_{n:d}", features=features)


def _on_table(name: str, n: int) -> str:
    return _TABLE_SQL[name].format(table=f"p_{n:d}")


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


def _outcome(item: Feedback, *, row: int) -> Outcome:
    observed_us = None if item.observed_at is None else microseconds(item.observed_at)
    return Outcome(outcome_text(item.outcome, row=row), observed_us)


def _keep(
    connection: sqlite3.Connection, model: str, tables: list[int], item: tuple[bytes, Outcome], received_us: int
) -> FeedbackStatus:
    prediction_id, new = item
    found = connection.execute(_SQL["known_outcome"], {"id": prediction_id, "model": model}).fetchone()
    known = Outcome(*found) if found else None
    status = weigh(known, new)
    if status in {FeedbackStatus.CONFLICT, FeedbackStatus.OUTDATED}:
        return status
    if is_newer(new, known):
        values = {"id": prediction_id, "model": model, "outcome": new.text, "observed_at": new.observed_us}
        connection.execute(_SQL["put_outcome"], {**values, "received_at": received_us})
    is_logged = any(connection.execute(_on_table("find", n), {"id": prediction_id}).fetchone() for n in tables)
    return status if is_logged else FeedbackStatus.UNMATCHED
