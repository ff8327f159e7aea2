"""Eight clients of one writer, who say on stdout what they submitted, what was acknowledged and what was refused.

Arguments: path of the log, seed, ``durable`` or ``fast``, how many requests in all (0: until killed), and the mode:
``honest`` acknowledges when the writer does; two are controls: ``early`` acknowledges at once and stays one request
behind, ``stubborn`` wakes a writer that has stopped for good.

Lines: ``s N ROWS`` submitted, ``a N ROWS`` acknowledged, ``r RETRYABLE`` refused. Row N of a seed is always the same,
see ``record``; every fourth request has an Idempotency-Key.
"""

import asyncio
import itertools
import os
import sys
from datetime import timedelta
from pathlib import Path

from vigie.adapters.clock import SystemClock
from vigie.adapters.prediction_log import writer as writer_module
from vigie.adapters.prediction_log.writer import SqlitePredictionWriter
from vigie.domain.prediction import Prediction, uuid7
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.errors import StorageError
from vigie.ports import EncodedRows, Replay

N_CLIENTS = 8
CHECKPOINT_PAGES = 60  # many checkpoints in a short run
START_US = 1_767_603_600_000_000  # 2026-01-05 09:00 UTC, where the fake clock starts
EPOCH = SystemClock().now().replace(year=1970, month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
SCHEMA = Schema(
    (
        Feature("n", Kind.INTEGER),
        Feature("third", Kind.NUMBER, nullable=True),
        Feature("even", Kind.BOOLEAN),
        Feature("text", Kind.CATEGORY),
    ),
    Target("churn", Task.BINARY, ("non", "oui")),
)


def record(seed, n):
    """Return what row ``n`` of a seed is: id, time, version, entity, prediction and features."""
    at_us = START_US + n * 1000
    prediction_id = uuid7(EPOCH + timedelta(microseconds=at_us), seed.to_bytes(4, "big") + n.to_bytes(6, "big"))
    share = (n % 1000) / 1000
    features = (n, None if n % 7 == 0 else n / 3, n % 2 == 0, "é" * (n % 5) + str(seed))
    return prediction_id, at_us, str(seed), f"client-{n}", Prediction("oui", (1 - share, share)), features


class Clients:
    """What the eight share."""

    def __init__(self, writer, seed, n_requests, mode):
        self.writer = writer
        self.seed = seed
        self.mode = mode
        self.encoder = writer.encoder("churn", SCHEMA)
        self.numbers = itertools.count()
        self.left = itertools.count(n_requests or 1_000_000_000, -1)
        self.behind = None
        self.patience = 100 if n_requests else 1_000_000_000

    async def work(self, client):
        """Send requests of one to four rows until there are enough, or a hundred were refused."""
        while next(self.left) > 0 and self.patience > 0:
            rows = 1 + client % 4
            first = next(self.numbers)
            numbers = [first, *(next(self.numbers) for _ in range(rows - 1))]
            try:
                await self.request(numbers)
            except StorageError as exc:
                self.patience -= 1
                say(f"r {exc.retryable}")
                if self.mode == "stubborn":
                    self.writer._file._refusal, self.writer._trouble = "", None
                await asyncio.sleep(0.01)

    async def request(self, numbers):
        """Submit and acknowledge; a request's rows follow one another as nobody else runs in between."""
        self.writer.reserve(len(numbers))
        encoded = []
        for n in numbers:
            prediction_id, at_us, version, entity, prediction, features = record(self.seed, n)
            encoded.append(self.encoder.encode(prediction_id.bytes, at_us, version, entity, 100, prediction, features))
        key = Replay(f"{self.seed}:{numbers[0]}", b"d" * 32, str(numbers).encode(), "application/json")
        said = f"{numbers[0]} {len(numbers)}"
        say(f"s {said}")
        batch = EncodedRows(self.encoder.table, encoded), key if numbers[0] % 4 == 0 else None
        if self.mode == "early":
            say(f"a {said}")
            batch, self.behind = self.behind, batch
        if batch:
            await self.writer.submit(*batch)
        if self.mode != "early":
            say(f"a {said}")


def say(line):
    """Write a line at once; whoever kills us must find it whole."""
    os.write(1, f"{line}\n".encode())


async def main(path, seed, durability, n_requests, mode):
    """Open the log and let the clients work."""
    writer_module.CHECKPOINT_PAGES = CHECKPOINT_PAGES
    try:
        writer = SqlitePredictionWriter(
            Path(path), durable=durability == "durable", max_waiting_rows=1000, clock=SystemClock()
        )
    except StorageError as exc:
        say(f"r {exc.retryable}")
        return
    clients = Clients(writer, int(seed), int(n_requests), mode)
    await asyncio.gather(*(clients.work(client) for client in range(N_CLIENTS)))
    writer.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
