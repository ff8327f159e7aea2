"""Every writer into the prediction log keeps the port's contract."""

from contextlib import closing

import pytest

from vigie.adapters.prediction_log.sqlite import SqlitePredictionLog
from vigie.adapters.prediction_log.writer import SqlitePredictionWriter
from vigie.testing import InMemoryPredictionWriter
from vigie.testing.conformance import PredictionWriterSuite
from vigie.testing.conformance.prediction_writer import ROOM


class TestInMemoryPredictionWriter(PredictionWriterSuite):
    """The fake."""

    @pytest.fixture
    def writer(self, clock):
        """Return a writer into memory."""
        return InMemoryPredictionWriter(max_waiting_rows=ROOM, clock=clock)

    @pytest.fixture
    def log(self, writer):
        """Return the log it writes."""
        return writer.log


class TestSqlitePredictionWriter(PredictionWriterSuite):
    """The group commit into SQLite, in the mode that survives a power cut."""

    @pytest.fixture
    def writer(self, tmp_path, clock):
        """Return a durable writer into a new file."""
        path = tmp_path / "log.db"
        with closing(SqlitePredictionWriter(path, durable=True, max_waiting_rows=ROOM, clock=clock)) as writer:
            yield writer

    @pytest.fixture
    def log(self, writer, tmp_path):  # noqa: ARG002  it makes the file
        """Return another handle on the same file."""
        with closing(SqlitePredictionLog(tmp_path / "log.db", durable=True)) as log:
            yield log
