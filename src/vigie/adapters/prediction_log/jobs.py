"""What waits to be written, and how whoever waits for it is told."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, TypeGuard

from msgspec import Struct

from vigie.adapters.prediction_log.feedback import Item, keep_feedback
from vigie.adapters.prediction_log.store import SQL
from vigie.adapters.prediction_log.table import PredictionTable
from vigie.errors import StorageError
from vigie.ports import EncodedRows, Replay

logger = logging.getLogger("vigie.log")


class Job(Struct):
    """What waits: whom to tell (on which loop, if any), how many rows it counts for, and whether it is still wanted."""

    tell: Callable[[Any], None]
    loop: asyncio.AbstractEventLoop | None
    n_rows: int
    has_left: Callable[[], bool] | None


class Answers(Job):
    """Rows of one table, and the answer to keep under a key, if any."""

    batch: EncodedRows
    replay: Replay | None


class Outcomes(Job):
    """What predictions of a model turned out to be, and when that reached us."""

    model: str
    items: Sequence[Item]
    received_us: int


def tell_all(settled: Iterable[tuple[Job, Any]]) -> None:
    """Tell everybody, with one call for each event loop."""
    by_loop: dict[asyncio.AbstractEventLoop | None, list[tuple[Callable[[Any], None], Any]]] = {}
    for job, outcome in settled:
        by_loop.setdefault(job.loop, []).append((job.tell, outcome))
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


def fulfil(future: Any, outcome: Any) -> None:
    """Tell a future, of asyncio or of a thread, unless it was given up."""
    if future.done():  # cancelled meanwhile
        return
    if isinstance(outcome, StorageError):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


def keep_other(connection: sqlite3.Connection, job: Job) -> Any:
    """Keep outcomes, or the probe of a check; return what to tell."""
    if isinstance(job, Outcomes):
        return keep_feedback(connection, job.model, job.items, job.received_us)
    connection.execute(SQL["probe"])
    return None


def is_one_statement(job: Job) -> TypeGuard[Answers]:
    """Whether writing a job executes a single statement."""
    if not isinstance(job, Answers) or job.replay is not None or not job.batch.rows:
        return False
    return table_of(job.batch).takes_one_statement(job.batch.rows)


def table_of(batch: EncodedRows) -> PredictionTable:
    """Return where a batch goes.

    Raises:
        TypeError: the table is not one of ours.
    """
    if not isinstance(batch.table, PredictionTable):
        raise TypeError("the rows come from the encoder of another writer")
    return batch.table
