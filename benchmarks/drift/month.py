"""What a month costs once its hours are counted, and what counting costs beside sorting; a child.

The month is a real log: rows are logged, counted by hour as the loop does it, and then only the counts are read.
"""

import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.children import answer_one
from benchmarks.drift.judging import SCHEMA, judged, profile_of
from benchmarks.drift.tables import NUMBERS, make_table
from vigie.adapters.prediction_log.sqlite import SqlitePredictionLog
from vigie.domain.prediction import Prediction, PredictionRecord
from vigie.domain.window import Window
from vigie.loop.hours import ProfileTally
from vigie.monitoring.packing import Packing, merge
from vigie.testing.clock import START, FakeIds

N_COLUMNS, N_VALUES = 20, 100_000
_RUNS = 9
_HOUR = timedelta(hours=1)
_ANSWER = Prediction(0.0)


def measure(request: Any) -> dict[str, float]:
    """Return ``month_ms``, ``counted_us`` a row the first time, and ``kernel_ratio``, the median over paired runs."""
    return _month(request["hours"], request["rows_per_hour"], request["seed"]) | _kernel(request["seed"])


def _month(n_hours: int, rows_per_hour: int, seed: int) -> dict[str, float]:
    content = profile_of(make_table(20_000, seed, drifted=False)).to_bytes()
    tally = ProfileTally(SCHEMA, content)
    reader, window = Packing(tally.profile), Window(START, START + n_hours * _HOUR)
    with tempfile.TemporaryDirectory(prefix="vigie-benchmark-") as folder:
        log = SqlitePredictionLog(Path(folder) / "log.db", durable=False)
        _fill(log, n_hours, rows_per_hour, seed)
        started = time.process_time()
        log.hours("drift", SCHEMA, window, tally, version="1")
        counted_us = 1e6 * (time.process_time() - started) / (n_hours * rows_per_hour)

        def read() -> int:
            hours = log.hours("drift", SCHEMA, window, tally, version="1")
            counts = reader.unpack(merge(hour.content for hour in hours))
            return judged(tally.profile, counts, window).n

        if read() != n_hours * rows_per_hour:
            raise ValueError("the month does not hold the rows that were logged")
        times = [_timed(read) for _ in range(_RUNS)]
        log.close()
    return {"month_ms": 1e3 * median(times), "counted_us": counted_us}


def _fill(log: SqlitePredictionLog, n_hours: int, rows_per_hour: int, seed: int) -> None:
    table, ids = make_table(n_hours * rows_per_hour, seed, drifted=False), FakeIds(seed)
    rows = list(zip(*(column.to_pylist() for column in table.columns), strict=True))
    step = _HOUR / rows_per_hour
    for first in range(0, len(rows), rows_per_hour):
        made = [(START + place * step, rows[place]) for place in range(first, first + rows_per_hour)]
        log.append("drift", SCHEMA, [PredictionRecord(ids.new_id(at), at, "1", row, _ANSWER) for at, row in made])


def _kernel(seed: int) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    columns = profile_of(make_table(N_VALUES, seed, drifted=False)).features[: len(NUMBERS)]
    values = [np.ascontiguousarray(column) for column in rng.normal(size=(N_COLUMNS, N_VALUES))]

    def count() -> None:
        for column, one in zip(columns, values, strict=True):
            column.count(one)

    def sort() -> None:
        for one in values:
            np.sort(one)

    pairs = [(_timed(count), _timed(sort)) for _ in range(_RUNS)]
    return {"kernel_ratio": median(ours / theirs for ours, theirs in pairs)}


def _timed(job: Callable[[], object]) -> float:
    started = time.process_time()
    job()
    return time.process_time() - started


if __name__ == "__main__":
    answer_one(measure)
