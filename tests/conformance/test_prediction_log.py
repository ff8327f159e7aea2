"""Every prediction log keeps the port's contract."""

from contextlib import closing

import pytest

from vigie.adapters.prediction_log.sqlite import SqlitePredictionLog
from vigie.testing import InMemoryPredictionLog
from vigie.testing.conformance import PredictionLogSuite


class TestInMemoryPredictionLog(PredictionLogSuite):
    """The fake."""

    @pytest.fixture
    def log(self):
        """Return a log in memory."""
        return InMemoryPredictionLog()


class TestSqlitePredictionLog(PredictionLogSuite):
    """The SQLite log, in the mode that survives a power cut."""

    @pytest.fixture
    def log(self, tmp_path):
        """Return a durable log in a new file."""
        with closing(SqlitePredictionLog(tmp_path / "new" / "log.db", durable=True)) as log:
            yield log
