"""One store under one load, in a process of its own: ``closed`` (64 in flight), ``open`` (1,000 a second), ``wal``."""

import asyncio
import random
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.children import answer_one
from benchmarks.prediction_log import keeping
from benchmarks.prediction_log.stores import DIFFERENT, SCHEMA, Store, event, open_store
from vigie.adapters.clock import RandomIds, SystemClock
from vigie.adapters.prediction_log.encoding import RowEncoder
from vigie.adapters.prediction_log.store import open_file
from vigie.adapters.sqlite.moments import microseconds

IN_FLIGHT = 64
RATE_PER_S = 1000
GROUP = 64
MOST_WAITING = 2_000  # a store that falls this far behind has failed the rate; more would only fill memory


def measure(request: dict[str, Any]) -> dict[str, float]:
    """Run what was asked for, in a folder on the disk that is measured."""
    with tempfile.TemporaryDirectory(dir=request["folder"]) as name:
        folder = Path(name)
        if request["load"] == "keeping":
            return keeping.measure(folder, request["rows"])
        if request["load"] == "wal":
            return {"wal_bytes": wal_bytes_per_event(folder, request["preloaded"], request["groups"])}
        load = closed if request["load"] == "closed" else arrivals
        store = open_store(request["store"], folder)
        try:
            return asyncio.run(load(store, request["seconds"]))
        finally:
            store.close()


async def closed(store: Store, seconds: float) -> dict[str, float]:
    """Keep 64 events in flight; the first tenth of the time is not counted."""
    for number in range(DIFFERENT):
        event(number)
    numbers, latencies = count(), []
    warm_s = time.perf_counter() + seconds / 10
    end_s = warm_s + seconds

    async def client() -> None:
        while (started_s := time.perf_counter()) < end_s:
            await store.keep(next(numbers))
            if started_s >= warm_s:
                latencies.append(time.perf_counter() - started_s)

    cpu_s = time.process_time()
    await asyncio.gather(*(client() for _ in range(IN_FLIGHT)))
    cpu_s = time.process_time() - cpu_s
    took_s = time.perf_counter() - warm_s
    return {"events_per_s": len(latencies) / took_s, "cpu_us": cpu_s / next(numbers) * 1e6, **quantiles(latencies)}


async def arrivals(store: Store, seconds: float) -> dict[str, float]:
    """Let events arrive at random, 1,000 a second on average, however slow the store is; latency from arrival."""
    generator = random.Random(5)  # noqa: S311  a load, no secret
    latencies: list[float] = []
    waiting: set[asyncio.Task[None]] = set()

    async def client(number: int, arrived_s: float) -> None:
        await store.keep(number)
        latencies.append(time.perf_counter() - arrived_s)

    started_s = at_s = time.perf_counter()
    for number in range(int(seconds * RATE_PER_S)):
        at_s += generator.expovariate(RATE_PER_S)
        await asyncio.sleep(max(0.0, at_s - time.perf_counter()))
        if len(waiting) >= MOST_WAITING:
            break
        task = asyncio.create_task(client(number, at_s))
        waiting.add(task)
        task.add_done_callback(waiting.discard)
    await asyncio.gather(*waiting)
    return {"events_per_s": len(latencies) / (time.perf_counter() - started_s), **quantiles(latencies)}


def quantiles(latencies: list[float]) -> dict[str, float]:
    """Return the middle and the 99th hundredth, in milliseconds."""
    latencies.sort()
    last = len(latencies) - 1
    return {"p50_ms": latencies[last // 2] * 1e3, "p99_ms": latencies[last * 99 // 100] * 1e3}


def wal_bytes_per_event(folder: Path, preloaded: int, groups: int) -> float:
    """Return how much the WAL grows per event, in groups of 64, on a log that holds ``preloaded`` events already."""
    file = open_file(folder / "log.db", durable=False)
    encoder, ids, clock, numbers = RowEncoder("churn", SCHEMA), RandomIds(), SystemClock(), count()

    def write(n_rows: int) -> None:
        rows = []
        for _ in range(n_rows):
            entity, prediction, values = event(next(numbers))
            at = clock.now()
            at_us = microseconds(at)
            rows.append(encoder.encode(ids.new_id(at).bytes, at_us, "3", entity, 120, prediction, values))
        with file.commit() as connection:
            state = encoder.table.insert(connection, rows)
        encoder.table.state = state

    for _ in range(preloaded // 1000):
        write(1000)
    with file.commit() as connection:
        connection.execute("SELECT 1")
    file.checkpoint()
    file._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # noqa: SLF001  so that its size is what comes now
    for _ in range(groups):
        write(GROUP)
    size = (folder / "log.db-wal").stat().st_size
    file.close()
    return size / (groups * GROUP)


if __name__ == "__main__":
    answer_one(measure)
