"""What every prediction log does with outcomes; part of ``PredictionLogSuite``."""
# ruff: noqa: S101 -- assert is how pytest works

import json
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from vigie.domain.prediction import Feedback, FeedbackStatus, PredictionRecord
from vigie.domain.schema import Label
from vigie.errors import SchemaMismatchError
from vigie.ports import PredictionLog
from vigie.testing.clock import START
from vigie.testing.conformance.samples import BINARY, DAY, Records

RECEIVED_AT = START + timedelta(hours=5)
MODEL = "churn"


def at_hour(hour: int) -> datetime:
    """Return a time at which an outcome is seen."""
    return START + timedelta(hours=hour)


def outcomes(log: PredictionLog, model: str = MODEL) -> list[tuple[Any, datetime | None]]:
    """Return (outcome, observed_at) of every row, oldest first."""
    records = log.rows(model, BINARY, DAY).records.to_pylist()
    return [(row["outcome"] and json.loads(row["outcome"]), row["observed_at"]) for row in records]


class FeedbackSuite:
    """The feedback half; subclass ``PredictionLogSuite``, which gives the ``log`` fixture."""

    @pytest.fixture
    def logged(self, log: PredictionLog) -> PredictionRecord:
        """Return one record that is in the log."""
        record = Records(seed=1).one()
        log.append(MODEL, BINARY, [record])
        return record

    def _send(
        self, log: PredictionLog, record: PredictionRecord, outcome: Label, observed_at: datetime | None = None
    ) -> FeedbackStatus:
        (status,) = log.record_feedback(MODEL, [Feedback(record.id, outcome, observed_at)], received_at=RECEIVED_AT)
        return status

    def test_outcome_joins_its_prediction(self, log: PredictionLog, logged: PredictionRecord) -> None:
        """An outcome shows beside its prediction, with both of its times."""
        assert self._send(log, logged, "oui", at_hour(2)) is FeedbackStatus.RECORDED
        (row,) = log.rows(MODEL, BINARY, DAY).records.to_pylist()
        assert json.loads(row["outcome"]) == "oui"
        assert (row["observed_at"], row["received_at"]) == (at_hour(2), RECEIVED_AT)

    def test_newer_outcome_replaces(self, log: PredictionLog, logged: PredictionRecord) -> None:
        """A different outcome observed later takes the place of the earlier one."""
        self._send(log, logged, "non", at_hour(1))
        assert self._send(log, logged, "oui", at_hour(2)) is FeedbackStatus.REPLACED
        assert outcomes(log) == [("oui", at_hour(2))]

    def test_older_outcome_changes_nothing(self, log: PredictionLog, logged: PredictionRecord) -> None:
        """A different outcome observed earlier but arriving later is outdated."""
        self._send(log, logged, "oui", at_hour(2))
        assert self._send(log, logged, "non", at_hour(1)) is FeedbackStatus.OUTDATED
        assert outcomes(log) == [("oui", at_hour(2))]

    def test_same_outcome_counts_once(self, log: PredictionLog, logged: PredictionRecord) -> None:
        """The same feedback again is unchanged, and there is still one row."""
        self._send(log, logged, "oui", at_hour(1))
        assert self._send(log, logged, "oui", at_hour(1)) is FeedbackStatus.UNCHANGED
        assert outcomes(log) == [("oui", at_hour(1))]

    def test_same_outcome_seen_later_moves_the_time(self, log: PredictionLog, logged: PredictionRecord) -> None:
        """The same value with a newer time is unchanged, but the newer time is kept."""
        self._send(log, logged, "oui", at_hour(1))
        assert self._send(log, logged, "oui", at_hour(3)) is FeedbackStatus.UNCHANGED
        assert outcomes(log) == [("oui", at_hour(3))]

    def test_same_outcome_seen_earlier_keeps_the_time(self, log: PredictionLog, logged: PredictionRecord) -> None:
        """The same value with an older time or none leaves the newer time in place."""
        self._send(log, logged, "oui", at_hour(3))
        assert self._send(log, logged, "oui", at_hour(1)) is FeedbackStatus.UNCHANGED
        assert self._send(log, logged, "oui") is FeedbackStatus.UNCHANGED
        assert outcomes(log) == [("oui", at_hour(3))]

    @pytest.mark.parametrize("observed_at", [None, at_hour(1)], ids=["without a time", "at the same time"])
    def test_conflict_changes_nothing(
        self, log: PredictionLog, logged: PredictionRecord, observed_at: datetime | None
    ) -> None:
        """A different value for the same time, or twice without one, is a conflict that the first one wins."""
        self._send(log, logged, "oui", observed_at)
        assert self._send(log, logged, "non", observed_at) is FeedbackStatus.CONFLICT
        assert outcomes(log) == [("oui", observed_at)]

    def test_no_time_is_older_than_any(self, log: PredictionLog, logged: PredictionRecord) -> None:
        """An outcome with a time replaces one without, and is not replaced by one without."""
        self._send(log, logged, "non")
        assert self._send(log, logged, "oui", datetime(1971, 1, 1, tzinfo=UTC)) is FeedbackStatus.REPLACED
        assert self._send(log, logged, "non") is FeedbackStatus.OUTDATED
        assert outcomes(log) == [("oui", datetime(1971, 1, 1, tzinfo=UTC))]

    def test_conflict_does_not_stop_the_others(self, log: PredictionLog, logged: PredictionRecord) -> None:
        """In one batch each feedback has its own status, in order, and good ones are kept."""
        other = Records(seed=2).one(1.0)
        log.append(MODEL, BINARY, [other])
        batch = [Feedback(logged.id, "oui"), Feedback(logged.id, "non"), Feedback(other.id, "non")]
        statuses = log.record_feedback(MODEL, batch, received_at=RECEIVED_AT)
        assert statuses == [FeedbackStatus.RECORDED, FeedbackStatus.CONFLICT, FeedbackStatus.RECORDED]
        assert outcomes(log) == [("oui", None), ("non", None)]

    def test_early_outcome_waits_for_its_prediction(self, log: PredictionLog) -> None:
        """An outcome for an id that nothing was logged under is unmatched, and joins when the prediction comes."""
        record = Records(seed=3).one()
        assert self._send(log, record, "oui", at_hour(1)) is FeedbackStatus.UNMATCHED
        assert outcomes(log) == []
        log.append(MODEL, BINARY, [record])
        assert outcomes(log) == [("oui", at_hour(1))]
        assert self._send(log, record, "oui", at_hour(1)) is FeedbackStatus.UNCHANGED

    def test_unmatched_outcomes_obey_the_same_rule(self, log: PredictionLog) -> None:
        """Before the prediction comes, conflict and outdated are told; what was kept is unmatched."""
        record = Records(seed=3).one()
        assert self._send(log, record, "oui", at_hour(1)) is FeedbackStatus.UNMATCHED
        assert self._send(log, record, "oui", at_hour(1)) is FeedbackStatus.UNMATCHED
        assert self._send(log, record, "non", at_hour(1)) is FeedbackStatus.CONFLICT
        assert self._send(log, record, "non", at_hour(2)) is FeedbackStatus.UNMATCHED
        assert self._send(log, record, "oui", at_hour(1)) is FeedbackStatus.OUTDATED

    def test_outcome_of_another_model_does_not_join(self, log: PredictionLog, logged: PredictionRecord) -> None:
        """Feedback given under another model's name is unmatched and stays apart."""
        statuses = log.record_feedback("other", [Feedback(logged.id, "oui")], received_at=RECEIVED_AT)
        assert statuses == [FeedbackStatus.UNMATCHED]
        assert outcomes(log) == [(None, None)]

    def test_order_of_arrival_does_not_matter(self, log: PredictionLog) -> None:
        """Every order of the same feedback, the prediction's own arrival included, ends in one state."""
        sent: list[tuple[Label, datetime | None]] = [("non", None), ("oui", at_hour(1))]
        sent += [("non", at_hour(2)), ("oui", at_hour(3))]
        orders = list(permutations([None, *sent]))
        for record, order in zip(Records(seed=4).many(len(orders)), orders, strict=True):
            for step in order:
                if step is None:
                    log.append(MODEL, BINARY, [record])
                else:
                    assert self._send(log, record, step[0], step[1]) is not FeedbackStatus.CONFLICT
        assert outcomes(log) == [("oui", at_hour(3))] * len(orders)

    @pytest.mark.parametrize(
        ("first", "second", "status"),
        [
            (1, 1.0, FeedbackStatus.UNCHANGED),
            (1, True, FeedbackStatus.CONFLICT),
            (0.1 + 0.2, 0.3, FeedbackStatus.CONFLICT),
            ("1", 1, FeedbackStatus.CONFLICT),
        ],
    )
    def test_what_the_same_value_is(
        self, log: PredictionLog, logged: PredictionRecord, first: Label, second: Label, status: FeedbackStatus
    ) -> None:
        """1 and 1.0 are one outcome; 1, true and "1" are three; nearly equal is not equal."""
        self._send(log, logged, first)
        assert self._send(log, logged, second) is status

    @pytest.mark.parametrize("hostile", [float("nan"), float("inf"), "\ud800"], ids=["nan", "inf", "surrogate"])
    def test_unwritable_outcome_keeps_nothing(
        self, log: PredictionLog, logged: PredictionRecord, hostile: Label
    ) -> None:
        """An outcome that JSON cannot say is refused, with its whole batch."""
        batch = [Feedback(logged.id, "oui"), Feedback(logged.id, hostile)]
        with pytest.raises(SchemaMismatchError) as caught:
            log.record_feedback(MODEL, batch, received_at=RECEIVED_AT)
        assert caught.value.violations[0].row == 1
        assert outcomes(log) == [(None, None)]

    def test_no_feedback_is_no_status(self, log: PredictionLog) -> None:
        """An empty batch gives an empty answer."""
        assert log.record_feedback(MODEL, [], received_at=RECEIVED_AT) == []
