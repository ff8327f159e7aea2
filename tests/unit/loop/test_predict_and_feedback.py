"""Answers leave only once they are kept; outcomes come back with what became of them."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from vigie.domain.prediction import Feedback, FeedbackStatus, Prediction, uuid7
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.errors import StorageError
from vigie.inference.payload import read_rows
from vigie.inference.slots import ServingModel, Slots
from vigie.loop.feedback import record_feedback
from vigie.loop.predict import predict

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SCHEMA = Schema((Feature("a", Kind.NUMBER), Feature("b", Kind.CATEGORY)), Target("y", Task.REGRESSION), entity="who")


class _Clock:
    def __init__(self, *moments):
        self._moments = list(moments)

    def now(self):
        return self._moments.pop(0)


class _Ids:
    def __init__(self):
        self._given = 0

    def new_id(self, at):
        self._given += 1
        return uuid7(at, self._given.to_bytes(10, "big"))


class _Doubling:
    def score_rows(self, rows):
        return [Prediction(2.0 * row[0]) for row in rows]


class _Log:
    def __init__(self, error=None):
        self.error = error
        self.kept = []

    def append(self, model, schema, records):
        if self.error:
            raise self.error
        self.kept.append((model, schema, list(records)))

    def record_feedback(self, model, feedback, *, received_at):
        self.kept.append((model, list(feedback), received_at))
        return [FeedbackStatus.RECORDED, FeedbackStatus.UNMATCHED]


MODEL = ServingModel("price", "7", SCHEMA, _Doubling(), NOW)
BODY = [{"b": "x", "a": 1, "who": "c-1"}, {"a": 2.5, "b": "y"}]


def test_every_answer_is_in_the_log_with_its_features_in_the_models_order():
    """Ids, versions, entities and latency of the records are those of the answers."""
    log = _Log()
    clock = _Clock(NOW, NOW + timedelta(microseconds=250))
    answers = predict(read_rows(BODY, SCHEMA, max_rows=10), MODEL, log, clock, _Ids())
    ((model, schema, records),) = log.kept
    assert (model, schema) == ("price", SCHEMA)
    assert [record.id for record in records] == [answer.prediction_id for answer in answers]
    assert [record.features for record in records] == [(1.0, "x"), (2.5, "y")]
    assert [record.prediction.value for record in records] == [2.0, 5.0]
    assert [record.entity for record in records] == ["c-1", None]
    assert {(record.version, record.at, record.latency_us) for record in records} == {("7", NOW, 250)}


def test_a_log_that_fails_leaves_no_answer():
    """The log's error passes through, and nothing is returned."""
    log = _Log(StorageError("log", "full.", retryable=True))
    with pytest.raises(StorageError):
        predict(read_rows(BODY, SCHEMA, max_rows=10), MODEL, log, _Clock(NOW, NOW), _Ids())


def test_a_clock_that_goes_backwards_gives_no_negative_latency():
    """A corrected clock must not poison the latencies."""
    log = _Log()
    predict(read_rows(BODY, SCHEMA, max_rows=10), MODEL, log, _Clock(NOW, NOW - timedelta(seconds=1)), _Ids())
    assert {record.latency_us for record in log.kept[0][2]} == {0}


def test_feedback_comes_back_with_its_status_in_order():
    """One receipt an item; only an unmatched one is not matched."""
    items = [Feedback(UUID(int=1), 1.0), Feedback(UUID(int=2), 2.0)]
    log = _Log()
    receipts = record_feedback("price", items, log, _Clock(NOW))
    assert log.kept == [("price", items, NOW)]
    assert [(receipt.feedback, receipt.matched) for receipt in receipts] == [(items[0], True), (items[1], False)]


def test_a_swap_returns_who_served_before():
    """Readers get one whole model, before and after."""
    slots = Slots()
    other = ServingModel("price", "8", SCHEMA, _Doubling(), NOW)
    assert slots.champion is None
    assert slots.swap(MODEL) is None
    assert slots.swap(other) is MODEL
    assert slots.champion is other
