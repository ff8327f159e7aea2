"""Logs written by every earlier structure open, keep their rows and take new ones."""

import shutil
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from vigie.adapters.prediction_log.sqlite import SqlitePredictionLog
from vigie.adapters.prediction_log.writer import SqlitePredictionWriter
from vigie.testing import FakeClock
from vigie.testing.clock import START
from vigie.testing.conformance.prediction_writer import answer, keep, run
from vigie.testing.conformance.samples import BINARY, DAY, REGRESSION, Records

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture
def old(tmp_path):
    """Return a copy of a log with structure 1: four classes, one number, two outcomes."""
    return shutil.copy(GOLDEN / "prediction_log_1.db", tmp_path / "log.db")


def test_old_rows_are_read(old):
    """Features, answers and outcomes come back as they were logged."""
    with closing(SqlitePredictionLog(old, durable=True)) as log:
        rows = log.rows("churn", BINARY, DAY)
        features = [tuple(row.values()) for row in rows.features.to_pylist()]
        assert features == [(s, s / 3 if s else None, s % 2 == 0, "é" * s) for s in range(4)]
        assert rows.records["outcome"].to_pylist() == [None, '"non"', None, None]
        assert rows.records["received_at"].to_pylist()[1] == START + timedelta(hours=1)
        assert log.rows("price", REGRESSION, DAY).records["value"].to_pylist() == [152.25]


def test_old_log_takes_new_rows_and_keys(old):
    """The same table goes on, and what structure 2 brought can be used."""
    with closing(SqlitePredictionWriter(old, durable=True, max_waiting_rows=10, clock=FakeClock())) as writer:

        async def story():
            assert await keep(writer, [Records(2).one()], answer("new")) is None

        run(story())
        assert writer.replayed("client:k1") == answer("new")
    with closing(SqlitePredictionLog(old, durable=True)) as log:
        assert log.count("churn") == 5
        with log._file.read() as connection:
            assert connection.execute("PRAGMA user_version").fetchone() == (4,)
            assert connection.execute("SELECT count(*) FROM feature_schema").fetchone() == (2,)
