"""The stores that are compared, each as a server would use it: hand an event over, wait until it is kept.

An event is one answer with ten features. ``vigie`` makes ids, encodes and writes typed rows; the textbook writes a line
of JSON and syncs it before it answers; the floor writes 200 bytes per event and syncs once per group, through the same
kind of thread: nothing that syncs can be quicker.
"""

import asyncio
import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from vigie.adapters.clock import RandomIds, SystemClock
from vigie.adapters.prediction_log.writer import SqlitePredictionWriter
from vigie.domain.prediction import Prediction
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.errors import StorageError
from vigie.loop.predict import now_us
from vigie.ports import EncodedRows

SCHEMA = Schema(
    (
        *(Feature(f"number_{place}", Kind.NUMBER, nullable=True) for place in range(6)),
        Feature("count", Kind.INTEGER),
        Feature("flag", Kind.BOOLEAN),
        Feature("country", Kind.CATEGORY),
        Feature("plan", Kind.CATEGORY),
    ),
    Target("churn", Task.BINARY, ("no", "yes")),
)
FLOOR_BYTES = 200
DIFFERENT = 10_000
_THREADS = 40  # what FastAPI gives to endpoints that block


class Store(Protocol):
    """One way to keep events."""

    async def keep(self, number: int) -> None:
        """Keep event ``number``; return when it may be acknowledged."""
        ...

    def close(self) -> None:
        """Release what is held."""
        ...


@cache
def _event(number: int) -> tuple[str, Prediction, tuple[Any, ...]]:
    """Return whom event ``number`` is about, the answer and the features; spread over their ranges, without a seed."""
    share = number * 7919 % 10007 / 10007
    numbers = tuple(share * 10**power for power in range(6))
    country, plan = ("FR", "DE", "IT", "ES")[number % 4], ("basic", "plus", "premium")[number % 3]
    values = (*numbers, number % 97, number % 2 == 0, country, plan)
    return f"client-{number * 7919 % 100_003}", Prediction("yes", (1 - share, share)), values


def event(number: int) -> tuple[str, Prediction, tuple[Any, ...]]:
    """Return event ``number``; there are ``DIFFERENT`` ones, made once, because making them is no store's work."""
    return _event(number % DIFFERENT)


class VigieStore:
    """The prediction log's writer, with ids and encoding."""

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self._clock, self._ids = SystemClock(), RandomIds()
        path = folder / "log.db"
        self._writer = SqlitePredictionWriter(path, durable=durable, max_waiting_rows=20_000, clock=self._clock)
        self._encoder = self._writer.encoder("churn", SCHEMA)

    async def keep(self, number: int) -> None:
        """Reserve, encode, hand over, wait: the calls that the server makes for a plain request."""
        self._writer.reserve(1)
        entity, prediction, values = event(number)
        at_us = now_us(self._clock)
        (prediction_id,) = self._ids.take(at_us, 1)
        row = self._encoder.encode(prediction_id, at_us, "3", entity, 120, prediction, values)
        told: asyncio.Future[StorageError | None] = asyncio.get_running_loop().create_future()
        self._writer.keep(EncodedRows(self._encoder.table, [row]), told.set_result)
        if (failure := await told) is not None:
            raise failure

    def close(self) -> None:
        """Close the log."""
        self._writer.close()


class TextbookStore:
    """A line of JSON per event, flushed and synced before the answer, in the thread pool of a web framework."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / "log.jsonl").open("a", encoding="utf-8")
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(_THREADS)

    async def keep(self, number: int) -> None:
        """Write and sync in a thread."""
        await asyncio.get_running_loop().run_in_executor(self._pool, self._append, number)

    def _append(self, number: int) -> None:
        entity, prediction, values = event(number)
        features = {feature.name: value for feature, value in zip(SCHEMA.features, values, strict=True)}
        answer = {"prediction": prediction.value, "probabilities": prediction.probabilities}
        line = json.dumps({"id": number, "version": "3", "entity": entity, **answer, "features": features})
        with self._lock:
            self._file.write(line + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._pool.shutdown()
        self._file.close()


class FloorStore:
    """Bytes and one sync per group: what the disk and the hand-over between threads cost by themselves."""

    def __init__(self, folder: Path) -> None:
        self._fd = os.open(folder / "floor", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._queue: SimpleQueue[asyncio.Future[None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    async def keep(self, number: int) -> None:
        """Queue, wait."""
        del number
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.put(future)
        await future

    def _run(self) -> None:
        while future := self._queue.get():
            group = [future]
            try:
                while more := self._queue.get_nowait():
                    group.append(more)
            except Empty:
                pass
            os.write(self._fd, bytes(FLOOR_BYTES) * len(group))
            os.fdatasync(self._fd)
            group[0].get_loop().call_soon_threadsafe(_tell, group)

    def close(self) -> None:
        """Close the file."""
        self._queue.put(None)
        self._thread.join()
        os.close(self._fd)


def _tell(group: list[asyncio.Future[None]]) -> None:
    for future in group:
        future.set_result(None)


def open_store(name: str, folder: Path) -> Store:
    """Open a store by the name that the report prints."""
    if name == "textbook":
        return TextbookStore(folder)
    if name == "floor":
        return FloorStore(folder)
    return VigieStore(folder, durable=name == "vigie durable")
