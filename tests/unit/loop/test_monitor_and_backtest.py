"""Judging a window or a table reads only, and says what the numbers are."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from vigie.domain.measurement import Verdict
from vigie.domain.window import Window
from vigie.errors import DataError
from vigie.loop.monitor import backtest, monitor, next_look, open_window
from vigie.loop.picture import counts_of_table
from vigie.loop.rollback import rollback
from vigie.promotion.gate import GateRule
from vigie.testing.tables import churn_table


def values(report):
    """Return the metrics by name."""
    return {pair.current.name: pair.current.value for pair in report.performance.metrics}


def test_monitoring_reads_only(world, calm):
    """Asking twice gives the same answer and leaves no trace."""
    world.ask(calm)
    opened, before = world.opened(), world.kinds
    reports = [monitor(world.loop, opened, open_window(world.loop, "1"), look=1) for _ in range(2)]
    assert reports[0].to_dict() == reports[1].to_dict()
    assert world.kinds == before


def test_performance_is_that_of_the_rows_whose_outcome_is_known(world, calm):
    """scikit-learn computes the same from the log's rows."""
    world.ask(calm, known=0.5)
    opened = world.opened()
    report = monitor(world.loop, opened, open_window(world.loop, "1"), look=1)
    records = world.log.rows("churn", opened.schema, report.window).records
    known = records.filter(records.column("outcome").is_valid())
    y = np.array([text == '"oui"' for text in known.column("outcome").to_pylist()])
    proba = np.array([pair[1] for pair in known.column("probabilities").to_pylist()])
    assert len(y) == 200
    assert values(report)["roc_auc"] == pytest.approx(roc_auc_score(y, proba), abs=1e-12)
    assert values(report)["log_loss"] == pytest.approx(log_loss(y, proba), abs=1e-12)
    assert report.performance.coverage.value == 0.5


def test_the_delay_is_from_prediction_to_arrival(world, calm):
    """The world's clock moves a minute between the two."""
    world.ask(calm)
    report = monitor(world.loop, world.opened(), open_window(world.loop, "1"), look=1)
    assert report.performance.delay.value == pytest.approx(60.0, abs=1.0)


def test_without_outcomes_performance_is_unknown(world, calm):
    """Not enough data yet is an answer."""
    world.ask(calm, known=0.0)
    report = monitor(world.loop, world.opened(), open_window(world.loop, "1"), look=1)
    assert report.performance.verdict is Verdict.UNKNOWN
    assert set(values(report).values()) == {None}


def test_another_versions_answers_are_not_judged(world, churn_trained, calm):
    """Each version answers for itself."""
    world.register(churn_trained)
    world.ask(calm)
    window = open_window(world.loop, "1")
    assert monitor(world.loop, world.opened("1"), window, look=1).n == 400
    assert monitor(world.loop, world.opened("2"), window, look=1).n == 0


def test_the_window_begins_at_the_promotion(world):
    """What was answered before the version became champion is not in its window."""
    since = world.ledger.events("churn")[-1].at
    assert open_window(world.loop, "1") == Window(since, world.clock.now())


def test_dates_that_lie_ahead_of_the_clock_close_nothing(world):
    """A promotion dated by a clock that ran a day ahead does not hide what the version answers until that day."""
    world.clock.advance(-86400)
    window = open_window(world.loop, "1")
    assert window == Window(datetime(1970, 1, 1, tzinfo=UTC), world.clock.now())
    assert world.turn().closed is False


def test_looks_count_closed_windows(world, calm):
    """A look is spent when a window is closed, not when somebody peeks."""
    world.ask(calm)
    assert next_look(world.loop, "1") == 1
    world.turn()
    assert next_look(world.loop, "1") == 2


def test_a_version_that_comes_back_begins_a_new_window(world, changed, calm):
    """After a roll-back, what the other version answered and what came before it is not judged again."""
    world.ask(changed)
    assert world.turn().promoted
    rollback(world.loop, owner="test", reason="x")
    world.clock.advance(60)
    world.ask(calm)
    assert world.turn().report.n == 400


def test_a_backtest_judges_a_table_with_its_outcomes(world):
    """scikit-learn computes the same from the champion's own probabilities."""
    table = churn_table(500, seed=21)
    opened = world.opened()
    report = backtest(world.loop, opened, table, open_window(world.loop, "1"), look=1)
    frame = table.select(opened.schema.names).to_pandas().astype(float)
    y = np.array(table.column("churn").to_pylist()) == "oui"
    assert values(report)["roc_auc"] == pytest.approx(
        roc_auc_score(y, opened.bundle.model.predict_proba(frame)[:, 1]), abs=1e-12
    )
    assert report.drifted == ()


def test_a_backtest_takes_rows_without_an_outcome(world):
    """They are predictions like others: drift is judged on all, performance on those that are known, if any is."""
    table = churn_table(400, seed=23)
    left = table.column("churn").to_pylist()
    halved = table.set_column(table.column_names.index("churn"), "churn", pa.array([*left[:150], *[None] * 250]))
    window = open_window(world.loop, "1")
    half = backtest(world.loop, world.opened(), halved, window, look=1)
    assert (half.n, half.performance.metrics[0].current.n, half.performance.coverage.value) == (400, 150, 0.375)
    none = backtest(world.loop, world.opened(), table.drop_columns("churn"), window, look=1)
    assert (none.n, none.performance.verdict) == (400, Verdict.UNKNOWN)
    assert none.features == half.features
    assert counts_of_table(world.opened(), halved).n == 400


def test_a_backtest_sees_drift(world):
    """The changed world alarms."""
    table = churn_table(800, seed=22, drift=1.0, relation=1.0)
    report = backtest(world.loop, world.opened(), table, open_window(world.loop, "1"), look=1)
    assert report.verdict is Verdict.ALARM
    assert "nb_reclamations" in report.drifted


def test_a_backtest_on_a_table_that_lacks_a_class_compares_like_with_like(new_world, species):
    """Two of three classes: the indices of those left must still be the model's own."""
    world = new_world(model="species")
    world.change(data=replace(world.loop.rules.data, target="kind", positive=None, entity=None))
    world.register(world.train(species(500, 1)))
    table = species(300, 2)
    left = table.filter([kind != 1 for kind in table.column("kind").to_pylist()])
    opened = world.opened()
    report = backtest(world.loop, opened, left, Window(world.clock.now(), world.clock.now()), look=1)
    frame = left.select(opened.schema.names).to_pandas().astype(float)
    predicted = np.array(opened.schema.target.classes)[opened.bundle.model.predict(frame)]
    truth = float(np.mean(predicted == left.column("kind").to_numpy()))
    assert truth > 0.7
    assert values(report)["accuracy"] == pytest.approx(truth)


def test_a_backtest_on_one_class_is_judged_as_far_as_it_can(world):
    """A month in which nobody left still has inputs to look at."""
    table = churn_table(600, seed=23)
    stayed = table.filter([value == "non" for value in table.column("churn").to_pylist()])
    report = backtest(world.loop, world.opened(), stayed, open_window(world.loop, "1"), look=1)
    assert report.n == stayed.num_rows
    assert values(report)["roc_auc"] is None
    assert values(report)["accuracy"] is not None


def test_a_backtest_on_few_rows_is_a_report_of_few_rows(world):
    """The last month of a table may hold five rows: verdict unknown, not an error."""
    report = backtest(world.loop, world.opened(), churn_table(5, seed=1), open_window(world.loop, "1"), look=1)
    assert report.n == 5
    assert report.performance.verdict is Verdict.UNKNOWN


def test_a_backtest_refuses_a_class_that_the_model_does_not_know(world):
    """An outcome outside the model's classes cannot be scored: the sentence names it."""
    table = churn_table(100, seed=1)
    strange = pa.array(["peut-être"] * 5 + table.column("churn").to_pylist()[5:])
    with pytest.raises(DataError, match="peut-être"):
        backtest(
            world.loop, world.opened(), table.set_column(table.num_columns - 1, "churn", strange),
            open_window(world.loop, "1"), look=1,
        )  # fmt: skip


def test_an_outcome_that_another_version_knows_is_left_aside(world, calm):
    """Feedback is read by the classes of whoever serves: an older version may meet a class it never answered."""
    told = world.ask(calm, known=0.0)
    world.tell([(told[0][0], "peut-être"), *told[1:301]])
    report = world.turn().report
    assert report.performance.coverage.value == 300 / 400


def test_an_outcome_of_another_class_is_not_learnt_from(world, changed):
    """The challenger learns from the outcomes that the champion could have been right about."""
    told = world.ask(changed, known=0.0)
    world.tell([(told[0][0], "peut-être"), *told[1:]])
    assert len(world.turn().challenge.trained.dataset) == 599


def test_long_windows_do_not_overflow(world, calm):
    """A hundred years of silence are a window like another."""
    world.change(gate=GateRule(level=0.95, margin=0.0, min_rows=50))
    world.clock.advance(timedelta(days=36500).total_seconds())
    world.ask(calm)
    assert world.turn().report.n == 400
