"""Old rows leave the log in small transactions, so that whoever answers meanwhile hardly waits."""

import time
from collections.abc import Callable
from typing import Final

from vigie.adapters.prediction_log.bounds import last_id
from vigie.adapters.prediction_log.hours import forget_hours, hour_of
from vigie.adapters.prediction_log.store import SQL
from vigie.adapters.prediction_log.table import on_table
from vigie.adapters.sqlite.file import SqliteFile
from vigie.ports import Expired

ROWS_AT_ONCE: Final = 2_000
_LEAST_REST_S: Final = 0.005

Told = Callable[[int], None]
"""Takes how many predictions have gone so far."""


def expire(file: SqliteFile, before_us: int, told: Told) -> Expired:
    """Delete what was predicted before a time, with its outcomes, then outcomes as old that belong to nothing.

    Before the first row goes the horizon is raised, for good. When it is interrupted, the next call goes on.

    Raises:
        StorageError: what is gone is gone, the rest is kept.
    """
    with file.write() as connection:
        connection.execute(SQL["raise_horizon"], {"before": before_us})
        tables = connection.execute(SQL["skew_of_all"]).fetchall()
    predictions = outcomes = 0
    for n, model, skew_ms in tables:
        bounds = {"model": model, "last": last_id(before_us, skew_ms), "before": before_us, "limit": ROWS_AT_ONCE}
        gone = ROWS_AT_ONCE
        while gone == ROWS_AT_ONCE:
            started_s = time.perf_counter()
            with file.write() as connection:
                times = connection.execute(on_table("expire_times", n), bounds)
                forget_hours(connection, n, {hour_of(at_us) for (at_us,) in times})
                outcomes += connection.execute(on_table("expire_outcomes", n), bounds).rowcount
                gone = connection.execute(on_table("expire", n), bounds).rowcount
            predictions += gone
            told(predictions)
            _rest(started_s)
    orphans = sum(_expire_orphans(file, model, before_us) for model in sorted({model for _, model, _ in tables}))
    file.empty_wal()
    return Expired(predictions, outcomes, orphans)


def _expire_orphans(file: SqliteFile, model: str, before_us: int) -> int:
    """Delete outcomes that arrived before a time and whose prediction is not in the log."""
    gone, after = 0, (0, b"")
    while True:
        started_s = time.perf_counter()
        place = {"model": model, "before": before_us, "after_at": after[0], "after_id": after[1]}
        with file.write() as connection:
            tables = [n for n, _ in connection.execute(SQL["tables_of"], {"model": model})]
            old = connection.execute(SQL["old_outcomes"], {**place, "limit": ROWS_AT_ONCE}).fetchall()
            for prediction_id, _ in old:
                found = {"id": prediction_id}
                if not any(connection.execute(on_table("find", n), found).fetchone() for n in tables):
                    gone += connection.execute(SQL["delete_outcome"], {**found, "model": model}).rowcount
        if len(old) < ROWS_AT_ONCE:
            return gone
        after = (old[-1][1], old[-1][0])
        _rest(started_s)


def _rest(started_s: float) -> None:
    """Leave the log to others for as long as it was taken from them."""
    time.sleep(max(_LEAST_REST_S, time.perf_counter() - started_s))
