"""Counts by hour beside the rows: each row counted once, and an hour counted anew when rows of it were deleted.

Rows are read and counted outside of any lock and any transaction, then added in one transaction that moves the
watermark, provided that nobody counted or deleted meanwhile; else the work is thrown away and done again. That is
enough: rows up to a place never change but by deletion, which raises ``revision``. A kill at any moment leaves either
all of a batch counted or none of it. Late rows have a later place, whatever their date, so they too are counted once,
in their own hour.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import numpy as np
import pyarrow as pa

from vigie.adapters.prediction_log.bounds import window_bounds
from vigie.adapters.prediction_log.decoding import RECORDS, decode
from vigie.adapters.prediction_log.reading import CHUNK, chunks, on_columns
from vigie.adapters.prediction_log.store import SQL
from vigie.adapters.prediction_log.table import on_table
from vigie.adapters.sqlite.cells import fetch_cells
from vigie.adapters.sqlite.file import SqliteFile
from vigie.adapters.sqlite.moments import EPOCH, microseconds
from vigie.domain.schema import Schema
from vigie.domain.window import Window
from vigie.ports import HourCounts, LoggedRows, Tally

_HOUR: Final = timedelta(hours=1)
_HOUR_US: Final = 3_600_000_000
_SCANNED_AT_ONCE: Final = 1_000_000  # places, most of them other versions': see ``erasure``
_HOURS_AT_ONCE: Final = 256


@dataclass(frozen=True, slots=True)
class _State:
    """How far a series is, and in which table."""

    n: int
    skew_ms: int
    id: int
    seq: int
    revision: int


@dataclass(frozen=True, slots=True)
class _Step:
    """What is to be written: the hours as they will be, None for one that is empty, and the new watermark."""

    seq: int
    hours: dict[int, tuple[int, bytes] | None]


class HourlyCounts:
    """The counts of one version's rows under one tally."""

    def __init__(self, model: str, schema: Schema, version: str, tally: Tally) -> None:
        self._table = {"model": model, "hash": schema.digest}
        self._schema, self._version, self._tally = schema, version, tally

    def read(self, file: SqliteFile, window: Window) -> list[HourCounts]:
        """Count what is not counted yet, then return the whole hours of a window, oldest first.

        Raises:
            StorageError: the log cannot be read or written.
        """
        newest = None
        while True:
            with file.read() as connection:
                state = self._state(connection)
                if state is None:
                    return []
                if isinstance(state, _State):
                    if newest is None:  # what is logged from now on need not be counted
                        newest = connection.execute(on_table("last_seq", state.n)).fetchone()[0] or 0
                    step = self._recount(connection, state) or self._advance(connection, state, newest)
                    found = None if step else _hours(connection, state.id, window)
                    if found is not None:
                        return found
            with file.write() as connection:
                if not isinstance(state, _State):
                    connection.execute(SQL["add_series"], {**self._key, "n": state})
                elif step:
                    _take(connection, state, step)

    @property
    def _key(self) -> dict[str, Any]:
        return {"version": self._version, "digest": self._tally.digest}

    def _state(self, connection: sqlite3.Connection) -> _State | int | None:
        """Return how far the series is; the table's number when it has not begun; None without a table."""
        found = connection.execute(SQL["find_table"], self._table).fetchone()
        if found is None:
            return None
        series = connection.execute(SQL["find_series"], {**self._key, "n": found[0]}).fetchone()
        return _State(*found, *series) if series else int(found[0])

    def _recount(self, connection: sqlite3.Connection, state: _State) -> _Step | None:
        """Return the next stale hours, counted from their rows; None when there is none."""
        stale = connection.execute(SQL["stale_hours"], {"id": state.id, "limit": _HOURS_AT_ONCE}).fetchall()
        hours: dict[int, tuple[int, bytes] | None] = {}
        n_read = 0
        for (hour,) in stale:
            start = EPOCH + hour * _HOUR
            bounds = {**window_bounds(Window(start, start + _HOUR), state.skew_ms), "seq": state.seq}
            width = len(self._schema.features)
            query = on_columns("read_counted", state.n, width)
            parts = chunks(connection, query, {**bounds, "version": self._version}, width)
            hours[hour] = self._sum(None, (decode(self._schema, part) for part in parts))
            n_read += (hours[hour] or (0,))[0]
            if n_read >= CHUNK:
                break
        return _Step(state.seq, hours) if hours else None

    def _advance(self, connection: sqlite3.Connection, state: _State, newest: int) -> _Step | None:
        """Return the next rows past the watermark, added to their hours; None when all are counted."""
        first = connection.execute(on_table("first_seq", state.n), {"after": state.seq}).fetchone()[0]
        if first is None or first > newest:
            return None
        last = min(first + _SCANNED_AT_ONCE, newest)
        width = len(self._schema.features)
        query = on_columns("read_after", state.n, width)
        asked = {"after": first - 1, "last": last, "version": self._version, "limit": CHUNK}
        seq_place = len(RECORDS) + width
        cells = fetch_cells(connection, query, asked, seq_place + 1)
        seq = cells.integers(seq_place)[-1].as_py() if cells.n == CHUNK else last
        hours = {}
        for hour, part in _by_hour(decode(self._schema, cells)):
            known = connection.execute(SQL["hour_content"], {"id": state.id, "hour": hour}).fetchone()
            hours[hour] = self._sum(known, [part])
        return _Step(seq, hours)

    def _sum(self, known: tuple[int, bytes] | None, parts: Iterable[LoggedRows]) -> tuple[int, bytes] | None:
        for part in parts:
            n, content = part.records.num_rows, self._tally.count(part)
            known = (known[0] + n, self._tally.add(known[1], content)) if known else (n, content)
        return known


def forget_hours(connection: sqlite3.Connection, n: int, hours: Iterable[int]) -> None:
    """Say, in the transaction that deletes rows of table ``n``, which hours they are of."""
    places = [{"n": n, "hour": hour} for hour in hours]
    if places:
        connection.executemany(SQL["stale_hour"], places)
        connection.execute(SQL["revise"], {"n": n})


def hour_of(at_us: int) -> int:
    """Return the hour since 1970 of a time in microseconds."""
    return at_us // _HOUR_US


def _take(connection: sqlite3.Connection, state: _State, step: _Step) -> None:
    """Write a step, unless the series is not as it was when the step was prepared."""
    move = {"id": state.id, "before": state.seq, "revision": state.revision, "seq": step.seq}
    if connection.execute(SQL["move_watermark"], move).rowcount == 0:
        return
    for hour, counted in step.hours.items():
        place = {"id": state.id, "hour": hour}
        if counted is None:
            connection.execute(SQL["drop_hour"], place)
        else:
            connection.execute(SQL["put_hour"], {**place, "rows": counted[0], "content": counted[1]})


def _by_hour(rows: LoggedRows) -> Iterator[tuple[int, LoggedRows]]:
    hours = rows.records.column("at").cast(pa.int64()).to_numpy() // _HOUR_US
    for hour in np.unique(hours).tolist():
        mask = pa.array(hours == hour)
        yield hour, LoggedRows(rows.features.filter(mask), rows.records.filter(mask))


def _hours(connection: sqlite3.Connection, series: int, window: Window) -> list[HourCounts] | None:
    """Return the whole hours of a window as one statement sees them; None when one went stale a moment ago."""
    bounds = {"first": -(-microseconds(window.start) // _HOUR_US), "end": hour_of(microseconds(window.end))}
    found = connection.execute(SQL["hours"], {"id": series, **bounds}).fetchall()
    if any(content is None for _, _, content in found):
        return None
    starts = [EPOCH + hour * _HOUR for hour, _, _ in found]
    return [HourCounts(Window(start, start + _HOUR), n, one) for start, (_, n, one) in zip(starts, found, strict=True)]
