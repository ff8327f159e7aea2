"""A model whose rows take long keeps the event loop for few of them."""

from datetime import UTC, datetime
from time import thread_time

import pytest

from vigie.api.answering import MAX_TURN_S, TIMED_ROWS, Served
from vigie.api.door import Door
from vigie.api.service import Limits, Service
from vigie.domain.prediction import Prediction
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.inference.slots import ServingModel, Slots
from vigie.testing import FakeClock, InMemoryPredictionWriter

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SCHEMA = Schema((Feature("x", Kind.NUMBER),), Target("y", Task.REGRESSION))
MOST = 256
ROWS = [(1.0,)] * TIMED_ROWS


class _Scorer:
    """Takes a time of the processor for every row."""

    kind = "compiled"

    def __init__(self, row_s):
        self.row_s = row_s

    def score_rows(self, rows):
        until_s = thread_time() + self.row_s * len(rows)
        while thread_time() < until_s:
            pass
        return [Prediction(row[0]) for row in rows]


@pytest.fixture
def serve():
    """Return what makes a model ready to answer that takes so many seconds for a row."""

    def make(row_s):
        clock = FakeClock(NOW)
        limits = Limits(max_body_bytes=1000, max_rows=1000, heavy_rows=MOST)
        writer = InMemoryPredictionWriter(clock=clock)
        service = Service("y", Slots(), writer, clock, None, limits, Door(clock), None)
        return Served(ServingModel("y", "1", SCHEMA, _Scorer(row_s), NOW), service, None)

    return make


def test_slow_rows_leave_the_event_loop_sooner(serve):
    """As many rows as take two milliseconds are light, and never less than one."""
    slow, slowest = serve(MAX_TURN_S / 4), serve(MAX_TURN_S * 2)
    assert slow.light_rows == MOST
    assert slow.score(ROWS) == [Prediction(1.0)] * TIMED_ROWS
    slowest.score(ROWS)
    assert 1 <= slow.light_rows <= 4
    assert slowest.light_rows == 1


def test_a_few_rows_teach_nothing(serve):
    """The cost of a call is not the cost of a row."""
    served = serve(MAX_TURN_S)
    served.score(ROWS[1:])
    assert served.light_rows == MOST


def test_the_setting_stays_the_limit(serve):
    """However fast the rows are, larger arrays than the settings say go to the thread."""
    served = serve(0.0)
    served.score(ROWS)
    assert 1 <= served.light_rows <= MOST
