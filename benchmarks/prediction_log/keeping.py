"""What reading a long window and erasing one entity cost, each in a process of its own on one file.

Reading gives Arrow with ids, answers, outcomes and ten features; the textbook parses lines of JSON into the same ten
features, without outcomes. Times are CPU seconds per million rows, so that a busy machine does not change them; wall
time stands beside. Erasure counts the search for bytes in, and it counts what is left afterwards by itself.
"""

import json
import random
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.findings import Gate, Goal
from benchmarks.prediction_log.stores import SCHEMA, event

READ, JSONL, ERASE = "read a window", "read JSON lines", "erase an entity"
PER_ENTITY = 29
_BATCH = 10_000
_MILLION = 1e6


def measure(folder: Path, n_rows: int) -> dict[str, float]:
    """Fill a log and a file of JSON lines, then measure each job in a fresh process."""
    found: dict[str, float] = {}
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as fresh:
        for job in (fill, read_log, read_jsonl, erase):
            found |= fresh.submit(job, folder, n_rows).result()
    return found


def fill(folder: Path, n_rows: int) -> dict[str, float]:
    """Write ``n_rows`` events to both, three in five with an outcome, each entity with some thirty of them."""
    from vigie.adapters.prediction_log.encoding import RowEncoder  # noqa: PLC0415  each process loads its own half
    from vigie.adapters.prediction_log.store import open_file  # noqa: PLC0415  idem
    from vigie.adapters.sqlite.moments import microseconds  # noqa: PLC0415  idem
    from vigie.domain.prediction import uuid7  # noqa: PLC0415  idem
    from vigie.testing.clock import START  # noqa: PLC0415  idem

    file, encoder, generator = (
        open_file(folder / "log.db", durable=False),
        RowEncoder("churn", SCHEMA),
        random.Random(1),  # noqa: S311  rows
    )
    with (folder / "log.jsonl").open("w") as lines:
        for first in range(0, n_rows, _BATCH):
            rows, labels = [], []
            for number in range(first, min(first + _BATCH, n_rows)):
                _, prediction, values = event(number)
                at = START + timedelta(milliseconds=80 * number)
                one, at_us = uuid7(at, generator.randbytes(10)), microseconds(at)
                entity = f"client-{number * 7919 % max(1, n_rows // PER_ENTITY)}"
                rows.append(encoder.encode(one.bytes, at_us, "3", entity, 120, prediction, values))
                if number % 5 < 3:
                    labels.append((one.bytes, '"yes"', at_us))
                said = {"id": str(one), "at": at_us, "entity": entity, "probabilities": prediction.probabilities}
                lines.write(json.dumps({**said, "features": dict(zip(SCHEMA.names, values, strict=True))}) + "\n")
            with file.write() as connection:
                state = encoder.table.insert(connection, rows)
                connection.executemany(
                    "INSERT INTO label(id, model, outcome, received_at) VALUES (?, 'churn', ?, ?)", labels
                )
            encoder.table.state = state
    file.close()
    return {}


def read_log(folder: Path, n_rows: int) -> dict[str, float]:
    """Stream the whole log as Arrow."""
    from vigie.adapters.prediction_log.sqlite import SqlitePredictionLog  # noqa: PLC0415  idem
    from vigie.domain.window import Window  # noqa: PLC0415  idem
    from vigie.testing.clock import START  # noqa: PLC0415  idem

    log = SqlitePredictionLog(folder / "log.db", durable=True)
    window = Window(START, START + timedelta(days=30))
    timer = _Timer(n_rows)
    n_outcomes = n_read = 0
    for part in log.stream("churn", SCHEMA, window):
        n_read += part.records.num_rows
        n_outcomes += part.records.num_rows - part.records["outcome"].null_count
    took = timer.stop("read")
    log.close()
    _expect(n_read == n_rows and n_outcomes == sum(number % 5 < 3 for number in range(n_rows)))
    return {**took, "read_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3}


def read_jsonl(folder: Path, n_rows: int) -> dict[str, float]:
    """Parse every line and make columns of the features."""
    import pyarrow as pa  # noqa: PLC0415  idem

    timer = _Timer(n_rows)
    with (folder / "log.jsonl").open() as lines:
        rows = [json.loads(line)["features"] for line in lines]
    table = pa.table({name: [row[name] for row in rows] for name in SCHEMA.names})
    _expect(table.num_rows == n_rows)
    return timer.stop("jsonl")


def erase(folder: Path, n_rows: int) -> dict[str, float]:
    """Erase one entity, then look for its bytes in every file beside the log."""
    from vigie.adapters.prediction_log.remains import count_bytes  # noqa: PLC0415  idem
    from vigie.adapters.prediction_log.sqlite import SqlitePredictionLog  # noqa: PLC0415  idem

    log = SqlitePredictionLog(folder / "log.db", durable=True)
    with log._file.read() as connection:  # noqa: SLF001  the ids that must be gone
        ids = [one for (one,) in connection.execute("SELECT id FROM p_1 WHERE entity = 'client-5'")]
    files = sorted(folder.glob("log.db*"))
    _expect(set(count_bytes(files, ids)) == set(ids))
    timer = _Timer(n_rows)
    held = log.erase("client-5")
    took = timer.stop("erase")
    _expect(held.predictions == len(ids) > 0)
    return {**took, "bytes_left": float(count_bytes(files, ids).total())}


def gates(rounds: list[dict[str, float] | Any]) -> tuple[Gate, ...]:
    """Return goals G5 and G6, judged; None where a round failed."""

    def each(key: str, over: str = "") -> tuple[float | None, ...]:
        return tuple((one[key] / (one[over] if over else 1.0)) if isinstance(one, dict) else None for one in rounds)

    return (
        Gate(
            "G5 read, ids, answers, outcomes and 10 features, a million rows",
            Goal("CPU s", at_most=1.5),
            each("read_cpu_s"),
        ),
        Gate("G5 JSON lines / read", Goal("x", at_least=8.0), each("jsonl_cpu_s", "read_cpu_s")),
        Gate("G5 memory while reading", Goal("MB", at_most=250.0), each("read_mb")),
        Gate("G6 erase, search for bytes included, a million rows", Goal("CPU s", at_most=0.5), each("erase_cpu_s")),
        Gate("G6 copies left in the log's files", Goal("copies", at_most=0.0), each("bytes_left")),
    )


class _Timer:
    """CPU and wall seconds per million rows."""

    def __init__(self, n_rows: int) -> None:
        self._millions = n_rows / _MILLION
        self._started = time.process_time(), time.perf_counter()

    def stop(self, job: str) -> dict[str, float]:
        """Return both, named after the job."""
        cpu_s, wall_s = time.process_time() - self._started[0], time.perf_counter() - self._started[1]
        return {f"{job}_cpu_s": cpu_s / self._millions, f"{job}_wall_s": wall_s / self._millions}


def _expect(holds: bool) -> None:  # noqa: FBT001  a claim
    if not holds:
        raise ValueError("the job did not do what it is measured for")
