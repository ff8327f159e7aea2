"""The fake log and the SQLite log answer alike, whatever comes in whatever order."""

import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from vigie.adapters.prediction_log.sqlite import SqlitePredictionLog
from vigie.domain.prediction import Feedback, FeedbackStatus
from vigie.testing import InMemoryPredictionLog
from vigie.testing.clock import START
from vigie.testing.conformance.samples import BINARY, DAY, Records

RECORDS = Records(seed=9).many(3)
RUN = settings(
    max_examples=25, stateful_step_count=20, deadline=None, derandomize=True, database=None, phases=[Phase.generate]
)
outcomes = st.sampled_from(["oui", "non", 1, 1.0, True])
times = st.none() | st.integers(0, 3).map(lambda hour: START + timedelta(hours=hour))
feedback = st.builds(Feedback, st.sampled_from([record.id for record in RECORDS]), outcomes, times)


class LastWriterWins(InMemoryPredictionLog):
    """A log with the usual fault, for the control run: the outcome that arrives last counts."""

    def _keep(self, model, prediction_id, new):
        self._outcomes.pop((model, prediction_id), None)
        return super()._keep(model, prediction_id, new)


class Twins(RuleBasedStateMachine):
    """Does everything twice and compares statuses at each step, and all rows after it."""

    fake = InMemoryPredictionLog

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.real_log = SqlitePredictionLog(Path(self.folder.name) / "log.db", durable=False)
        self.fake_log = self.fake()
        self.n_seen = 0

    @rule(record=st.sampled_from(RECORDS))
    def append(self, record):
        """Log a prediction once, perhaps after its feedback."""
        if record.id not in {known.id for known in self._logged()}:
            for log in (self.real_log, self.fake_log):
                log.append("churn", BINARY, [record])

    @rule(batch=st.lists(feedback, max_size=4))
    def record_feedback(self, batch):
        """Send the same batch to both."""
        self.n_seen += 1
        received_at = START + timedelta(minutes=self.n_seen)
        answers = [
            log.record_feedback("churn", batch, received_at=received_at) for log in (self.real_log, self.fake_log)
        ]
        assert answers[0] == answers[1]
        assert all(isinstance(status, FeedbackStatus) for status in answers[0])

    @invariant()
    def rows_are_equal(self):
        """Both give the same tables, types included."""
        real, fake = (log.rows("churn", BINARY, DAY) for log in (self.real_log, self.fake_log))
        assert real.features.equals(fake.features)
        assert real.records.equals(fake.records), (real.records.to_pylist(), fake.records.to_pylist())

    def teardown(self):
        """Close and forget."""
        self.real_log.close()
        self.folder.cleanup()

    def _logged(self):
        known = set(self.fake_log.rows("churn", BINARY, DAY).records["id"].to_pylist())
        return [record for record in RECORDS if str(record.id) in known]


class BrokenTwins(Twins):
    """The control: one of the two has a fault."""

    fake = LastWriterWins


def test_twins_answer_alike():
    """No order of predictions and feedback tells the fake from SQLite."""
    run_state_machine_as_test(Twins, settings=RUN)


def test_twins_tell_a_fault():
    """Control: the comparison catches a log in which the last writer wins."""
    with pytest.raises(AssertionError):
        run_state_machine_as_test(BrokenTwins, settings=RUN)
