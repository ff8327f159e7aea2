"""Windows of a typed table as Arrow, in chunks: a longer read would keep the WAL from being reset under the writer."""

import sqlite3
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any, Final

import pyarrow as pa

from vigie.adapters.prediction_log.bounds import id_ms, window_bounds
from vigie.adapters.prediction_log.decoding import ID_BYTES, RECORDS, decode, decode_records, no_rows
from vigie.adapters.prediction_log.store import SQL, TABLE_SQL
from vigie.adapters.prediction_log.table import on_table, schema_of
from vigie.adapters.sqlite.cells import Cells, fetch_cells
from vigie.adapters.sqlite.file import SqliteFile
from vigie.adapters.sqlite.moments import EPOCH, MICROSECOND, microseconds
from vigie.domain.schema import Schema
from vigie.domain.window import Window
from vigie.ports import LoggedDay, LoggedRows

CHUNK: Final = 16_384  # rows: more are no quicker
_DAY: Final = timedelta(days=1)
_MILLISECOND: Final = timedelta(milliseconds=1)


def read_window(
    file: SqliteFile, model: str, schema: Schema, window: Window, version: str | None
) -> Iterator[LoggedRows]:
    """Yield a window's predictions with their outcomes, oldest first."""
    for chunk in _window_chunks(file, model, schema, window, version, len(schema.features)):
        yield decode(schema, chunk)


def read_records(file: SqliteFile, model: str, schema: Schema, window: Window, version: str | None) -> pa.Table:
    """Return the same without features, as one table."""
    parts = _window_chunks(file, model, schema, window, version, 0)
    return pa.concat_tables([RECORDS.empty_table(), *map(decode_records, parts)])


def _window_chunks(
    file: SqliteFile, model: str, schema: Schema, window: Window, version: str | None, width: int
) -> Iterator[Cells]:
    with file.read() as connection:
        found = connection.execute(SQL["find_table"], {"model": model, "hash": schema.digest}).fetchone()
        if found:
            bounds = {**window_bounds(window, found[1]), "model": model, "version": version}
            yield from chunks(connection, on_columns("read", found[0], width), bounds, width)


def read_received(
    file: SqliteFile, model: str, schema: Schema, received: Window, version: str | None
) -> Iterator[LoggedRows]:
    """Yield the predictions whose outcome arrived in a window, by when they were made, oldest first."""
    with file.read() as connection:
        found = connection.execute(SQL["find_table"], {"model": model, "hash": schema.digest}).fetchone()
        if found:
            times = {"start": microseconds(received.start), "end": microseconds(received.end), "after": b""}
            bounds = {**times, "model": model, "version": version}
            width = len(schema.features)
            for chunk in chunks(connection, on_columns("read_received", found[0], width), bounds, width):
                yield decode(schema, chunk)


def joined(schema: Schema, parts: Iterable[LoggedRows]) -> LoggedRows:
    """Return parts as one; none are an empty table of the right types."""
    known = [no_rows(schema), *parts]
    features = pa.concat_tables([part.features for part in known])
    return LoggedRows(features, pa.concat_tables([part.records for part in known]))


def read_days(file: SqliteFile, model: str, first: date | None, last: date | None) -> Iterator[LoggedDay]:
    """Yield the days that have predictions and were not cut by the horizon, by schema."""
    with file.read() as connection:
        cut = connection.execute(SQL["horizon"]).fetchone()
        whole = EPOCH if cut is None else EPOCH + cut[0] * MICROSECOND
        for n, skew_ms, spec in connection.execute(SQL["tables_with_spec"], {"model": model}).fetchall():
            schema = schema_of(spec)
            for day in _span(connection, n, skew_ms):
                window = Window(day, day + _DAY)
                if day < whole or (first and day.date() < first) or (last and day.date() > last):
                    continue
                bounds = {**window_bounds(window, skew_ms), "model": model}
                counts = connection.execute(on_table("fingerprint", n), bounds).fetchone()
                if counts[0]:
                    yield LoggedDay(day.date(), schema, counts[0], "-".join(str(count or 0) for count in counts))


def _span(connection: sqlite3.Connection, n: int, skew_ms: int) -> Iterator[datetime]:
    """Yield every midnight from the first prediction's day to the last one's."""
    oldest, newest = connection.execute(on_table("span", n)).fetchone()
    if oldest is None:
        return
    day = _midnight(id_ms(oldest) - skew_ms)
    end = _midnight(id_ms(newest) + skew_ms)
    while day <= end:
        yield day
        day += _DAY


def _midnight(ms: int) -> datetime:
    return (EPOCH + max(ms, 0) * _MILLISECOND).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


@cache
def on_columns(name: str, n: int, width: int) -> str:
    """Return a statement of ``table.sql`` that reads the ``width`` features of table ``n``."""
    features = "".join(f", p.f_{place}" for place in range(width))
    return TABLE_SQL[name].format(table=f"p_{n:d}", features=features)


def chunks(connection: sqlite3.Connection, query: str, bounds: dict[str, Any], width: int) -> Iterator[Cells]:
    """Yield the rows of a statement in the order of their ids, some at a time; ``width`` features are among them."""
    after = bounds["after"]
    while True:
        asked = {**bounds, "after": after, "limit": CHUNK}
        cells = fetch_cells(connection, query, asked, len(RECORDS) + width)
        if cells.n:
            yield cells
        if cells.n < CHUNK:
            return
        after = cells.blobs(0, ID_BYTES)[-1].tobytes()
