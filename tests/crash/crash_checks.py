"""What was said before the crash, against what is in the log after it."""

import sqlite3
from contextlib import closing
from datetime import timedelta

from crash_clients import EPOCH, SCHEMA, START_US, record

from vigie.adapters.prediction_log.sqlite import SqlitePredictionLog
from vigie.domain.window import Window

YEAR = Window(EPOCH + timedelta(microseconds=START_US), EPOCH + timedelta(microseconds=START_US, days=365))


def acknowledged(lines, seed=0):
    """Return the rows that were acknowledged, as (seed, n); the last line of a killed process may be torn."""
    rows = set()
    for line in lines:
        word, *numbers = line.split()
        if word == "a" and len(numbers) == 2:
            rows |= {(seed, n) for n in range(int(numbers[0]), int(numbers[0]) + int(numbers[1]))}
    return rows


def logged(path):
    """Return the rows of a log as (seed, n), after comparing each with what was sent: none altered, none twice."""
    with closing(SqlitePredictionLog(path, durable=True)) as log:
        rows = log.rows("churn", SCHEMA, YEAR)
    features = [tuple(row.values()) for row in rows.features.to_pylist()]
    found = {}
    for row, values in zip(rows.records.to_pylist(), features, strict=True):
        seed, n = int(row["version"]), values[0]
        prediction_id, at_us, version, entity, prediction, wanted = record(seed, n)
        assert values == wanted
        assert (row["id"], row["version"], row["entity"]) == (str(prediction_id), version, entity)
        assert (row["at"] - EPOCH) // timedelta(microseconds=1) == at_us
        assert (row["label"], row["probabilities"]) == ('"oui"', list(prediction.probabilities))
        found[seed, n] = found.get((seed, n), 0) + 1
    assert all(times == 1 for times in found.values())
    check_keys(path, found)
    return found.keys()


def check_keys(path, found):
    """Every kept answer has its rows: the two were committed together."""
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        for key, response in raw.execute("SELECT key, response FROM replay"):
            seed, n = map(int, key.split(":"))
            assert (seed, n) in found
            assert response.decode().startswith(f"[{n}")
