"""Realised performance beside what was promised."""

import json
import math

import numpy as np
import pytest

from vigie.domain.measurement import Interval, Measurement, Verdict
from vigie.domain.schema import LARGEST_OUTCOME
from vigie.domain.task import Task
from vigie.errors import ConfigurationError
from vigie.evaluation.intervals import measure
from vigie.evaluation.metrics import Scores
from vigie.evaluation.value import DecisionValue, value_per_thousand
from vigie.monitoring.decline import Point, Promise, find_decline
from vigie.monitoring.performance import EarlierLook, Outcomes, PerformanceRule, measure_performance


def _rule(metric="roc_auc", margin=0.02, min_labelled=50):
    return PerformanceRule(metrics=(metric,), margin=margin, min_labelled=min_labelled, false_alarm_budget=0.05)


def _binary(seed, n, signal):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    p = 1 / (1 + np.exp(-rng.normal(signal * (y - 0.5), 1.0)))
    return Scores(y=y, predicted=(p > 0.5).astype(int), proba=np.column_stack([1 - p, p]))


def _regression(seed, n, noise):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=n)
    return Scores(y=y, predicted=y + rng.normal(0, noise, n))


def _promised(scores, task):
    return {item.name: item for item in measure(scores, task)}


def _performance(scores, reference, rule, task=Task.BINARY):
    n = 0 if scores is None else len(scores)
    return measure_performance(Outcomes(scores, n * 2, np.full(n, 60.0)), task, reference, rule)


def test_a_model_that_lost_its_signal_alarms():
    """ROC-AUC from about 0.92 to 0.76 on 500 labels: alarm, and the sentence has both numbers and the threshold."""
    report = _performance(_binary(1, 500, 1.0), _promised(_binary(0, 800, 2.0), Task.BINARY), _rule())
    assert report.verdict is Verdict.ALARM
    assert report.reason.startswith("roc_auc is 0.")
    assert "was promised: worse by 0." in report.reason


def test_a_model_as_good_as_promised_is_ok():
    """The same signal: ok."""
    report = _performance(_binary(1, 500, 2.0), _promised(_binary(0, 800, 2.0), Task.BINARY), _rule())
    assert report.verdict is Verdict.OK


def test_losses_are_judged_relative_to_the_reference():
    """An RMSE half as large again alarms; within a generous margin of 80 % it does not, whatever the target's unit."""
    promised = _promised(_regression(0, 500, 100.0), Task.REGRESSION)
    worse = _regression(1, 500, 150.0)
    assert _performance(worse, promised, _rule("rmse"), Task.REGRESSION).verdict is Verdict.ALARM
    assert _performance(worse, promised, _rule("rmse", margin=0.8), Task.REGRESSION).verdict is Verdict.OK


def test_chance_is_not_a_loss():
    """A loss over the margin that few rows cannot establish is no alarm, and is told so."""
    promised = _promised(_binary(0, 800, 2.0), Task.BINARY)
    reasons = [_performance(_binary(seed, 60, 1.7), promised, _rule()).reason for seed in range(10)]
    assert any("not more than chance explains" in reason for reason in reasons)


def test_a_loss_that_this_look_alone_would_call_one_is_doubtful():
    """No alarm, because somebody looks every hour; but it is not said to hold. Calm ones seldom are in doubt."""
    promised = _promised(_binary(0, 800, 2.0), Task.BINARY)
    worse = [_performance(_binary(seed, 100, 1.0), promised, _rule()) for seed in range(40)]
    calm = [_performance(_binary(seed, 100, 2.0), promised, _rule()) for seed in range(40)]
    assert all(report.verdict is Verdict.OK for report in worse if report.is_doubtful)
    assert sum(report.is_doubtful for report in worse) > 10
    assert sum(report.is_doubtful for report in calm) <= 4


def test_an_alarm_begins_where_the_bound_of_the_sequence_ends():
    """A promise just above and just below what chance explains, by the formula of ``decline``."""
    scores = _binary(1, 500, 1.0)
    seen = _promised(scores, Task.BINARY)["roc_auc"]
    point = Point(seen.value, max(seen.value - seen.interval.low, seen.interval.high - seen.value) / 1.959964, 500)
    half = 0.0391993  # a standard error of 0.02
    for extra, verdict in ((1e-4, Verdict.ALARM), (-1e-4, Verdict.OK)):
        decline = find_decline([point], Promise("roc_auc", Point(1.0, 0.02, 900), True, 0.02, 0.05, 50), before=0)
        value = seen.value + decline.chance + extra
        promised = Measurement("roc_auc", value, "1", 900, interval=Interval(value - half, value + half, 0.95))
        assert _performance(scores, {"roc_auc": promised}, _rule()).verdict is verdict


def test_looks_before_count_until_an_alarm():
    """Two earlier looks as bad as this one establish together what neither does; an alarm between them starts anew."""
    scores, promised = _binary(1, 300, 1.2), _promised(_binary(0, 4000, 1.7), Task.BINARY)
    bad = {item.name: item for item in measure(_binary(2, 300, 1.2), Task.BINARY)}
    looks = [EarlierLook(Verdict.OK, bad)] * 6
    outcomes = Outcomes(scores, 600, np.full(300, 60.0))

    def verdict(earlier):
        return measure_performance(outcomes, Task.BINARY, promised, _rule(), earlier=earlier).verdict

    assert verdict([]) is Verdict.OK
    assert verdict(looks) is Verdict.ALARM
    assert verdict([*looks, EarlierLook(Verdict.ALARM, bad)]) is Verdict.OK


def test_probabilities_are_laid_beside_what_came_true():
    """A binary report has a reliability curve with an interval of its error; other tasks have none."""
    report = _performance(_binary(1, 500, 2.0), {}, _rule())
    assert sum(item.n for item in report.calibration.bins) == 500
    assert report.calibration.interval.low <= report.calibration.error <= report.calibration.interval.high
    assert _performance(_regression(1, 50, 1.0), {}, _rule("rmse"), Task.REGRESSION).calibration is None


def test_false_alarms_of_a_model_that_holds():
    """120 windows, each at the budget of a first look: more than 6 alarms would have probability below 0.004."""
    alarms = 0
    for seed in range(120):
        promised = _promised(_binary(10_000 + seed, 400, 1.5), Task.BINARY)
        alarms += _performance(_binary(seed, 200, 1.5), promised, _rule(margin=0.0)).verdict is Verdict.ALARM
    assert alarms <= 6


def test_too_few_outcomes_are_unknown():
    """Below the minimum nothing is said, but the numbers and the coverage are shown."""
    report = _performance(_binary(1, 49, 1.0), _promised(_binary(0, 800, 2.0), Task.BINARY), _rule())
    assert report.verdict is Verdict.UNKNOWN
    assert report.reason == "Not enough outcomes yet: 49 known, 50 needed."
    assert (report.coverage.value, report.delay.value, report.delay.unit) == (0.5, 60.0, "s")


def test_no_outcome_is_unknown():
    """Without a label every metric is there, without a value."""
    report = _performance(None, {}, _rule())
    assert report.verdict is Verdict.UNKNOWN
    assert {pair.current.value for pair in report.metrics} == {None}
    assert report.coverage.value is None


def test_one_class_only_is_unknown_with_a_reason():
    """ROC-AUC is not defined on one class: None, a reason, and no NaN in the JSON."""
    scores = _binary(1, 100, 1.0)
    report = _performance(
        scores.take(scores.y == 1), _promised(_binary(0, 800, 2.0), Task.BINARY), _rule(min_labelled=9)
    )
    assert report.verdict is Verdict.UNKNOWN
    assert report.reason == "roc_auc is not defined on these rows: their outcomes are all alike."
    json.dumps(report.to_dict(), allow_nan=False)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("task", list(Task))
def test_the_smallest_samples_give_numbers_or_reasons(n, task):
    """One to three labelled rows of each task: no crash, no NaN, no warning."""
    y = np.zeros(n)
    proba = None if task is Task.REGRESSION else np.full((n, 2 + (task is Task.MULTICLASS)), 0.5)
    report = _performance(Scores(y, y, proba), {}, _rule("log_loss" if proba is not None else "rmse", 0.0, 1), task)
    assert report.verdict is Verdict.UNKNOWN
    json.dumps(report.to_dict(), allow_nan=False)


def test_a_missing_promise_is_unknown():
    """Without a reference there is nothing to be worse than."""
    report = _performance(_binary(1, 500, 1.0), {}, _rule())
    assert report.reason == "The bundle holds no reference value of roc_auc."


def test_a_metric_of_another_task_is_unknown():
    """An RMSE cannot decide on a binary model."""
    assert _performance(_binary(1, 500, 1.0), {}, _rule("rmse")).reason == "rmse does not apply to a binary task."


@pytest.mark.parametrize(
    "wrong",
    [
        {"metrics": ("roc_acu",)},
        {"metrics": ()},
        {"margin": -0.1},
        {"margin": math.nan},
        {"min_labelled": 0},
        {"false_alarm_budget": 0.0},
        {"false_alarm_budget": 1.0},
    ],
)
def test_settings_that_cannot_be_meant_are_refused(wrong):
    """A rule that means nothing is refused when it is made."""
    good = {"metrics": ("roc_auc",), "margin": 0.02, "min_labelled": 50, "false_alarm_budget": 0.05}
    with pytest.raises(ConfigurationError):
        PerformanceRule(**good | wrong)


def test_probabilities_that_went_wrong_alarm_although_the_ranking_holds():
    """Overconfident answers keep their ROC-AUC and lose their log-loss: either metric may raise the alarm."""
    reference = _binary(0, 2000, 2.0)
    current = _binary(1, 2000, 2.0)
    odds = (current.proba[:, 1] / current.proba[:, 0]) ** 8
    bold = Scores(current.y, current.predicted, np.column_stack([1 / (1 + odds), odds / (1 + odds)]))
    rule = PerformanceRule(metrics=("roc_auc", "log_loss"), margin=0.02, min_labelled=50, false_alarm_budget=0.05)
    report = _performance(bold, _promised(reference, Task.BINARY), rule)
    assert report.verdict is Verdict.ALARM
    assert report.reason.startswith("log_loss is")
    assert _performance(bold, _promised(reference, Task.BINARY), _rule()).verdict is Verdict.OK


def test_the_value_of_the_decisions_stands_last():
    """With a value per decision, euros per thousand are reported beside what was promised."""
    scores = _binary(1, 500, 2.0)
    value = DecisionValue(true_positive=80, false_positive=-10, false_negative=-60, true_negative=0, unit="EUR")
    promised = _promised(scores, Task.BINARY) | {"value": value_per_thousand(scores, value)}
    outcomes = Outcomes(scores, 500, np.full(500, 60.0))
    report = measure_performance(outcomes, Task.BINARY, promised, _rule(), value=value)
    assert report.metrics[-1].current.unit == "EUR/1000"
    assert report.metrics[-1].current.value == report.metrics[-1].reference.value


def test_an_outcome_beyond_all_measure_is_said_to_be_one():
    """Its square is no number: no value, the true reason, and nothing but numbers in the JSON."""
    scores = _regression(1, 300, 1.0)
    scores.y[0] = 1e200
    report = _performance(scores, _promised(_regression(0, 500, 1.0), Task.REGRESSION), _rule("rmse"), Task.REGRESSION)
    assert (report.verdict, report.reason) == (
        Verdict.UNKNOWN, "rmse is not defined on these rows: an error is too large to be squared.",
    )  # fmt: skip
    json.dumps(report.to_dict(), allow_nan=False)


def test_the_largest_outcomes_that_are_taken_can_be_judged():
    """Ten of them, of either sign: the error has a value and an interval, so that there is a verdict."""
    scores = _regression(1, 300, 1.0)
    scores.y[:10] = [LARGEST_OUTCOME, -LARGEST_OUTCOME] * 5
    report = _performance(scores, _promised(_regression(0, 500, 1.0), Task.REGRESSION), _rule("rmse"), Task.REGRESSION)
    assert report.verdict is not Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("y", "predicted", "undefined"),
    [
        (0, [1] * 20 + [0] * 480, {"recall": "no outcome is positive"}),
        (1, [0] * 500, {"precision": "no prediction is positive"}),
        (0, [0] * 500, {
            "recall": "no outcome is positive",
            "precision": "no prediction is positive",
            "f1": "no outcome and no prediction is positive",
        }),
    ],
)  # fmt: skip
def test_a_share_of_nothing_is_not_defined(y, predicted, undefined):
    """A window without a positive has no recall, one without a predicted positive no precision; F1 lacks both."""
    predicted = np.array(predicted)
    proba = np.column_stack([1 - 0.8 * predicted, 0.8 * predicted])
    report = _performance(Scores(np.full(500, y), predicted, proba), {}, _rule("recall"))
    without = {
        pair.current.name: pair.current.reason
        for pair in report.metrics
        if pair.current.value is None and pair.current.name in ("recall", "precision", "f1")
    }
    assert without == {name: f"{name} is not defined on these rows: {why}." for name, why in undefined.items()}


def test_a_recall_of_nothing_does_not_alarm():
    """Nobody could have been found: the verdict is unknown and says why."""
    scores = Scores(np.zeros(500), np.zeros(500), np.column_stack([np.ones(500), np.zeros(500)]))
    report = _performance(scores, _promised(_binary(0, 800, 2.0), Task.BINARY), _rule("recall"))
    assert report.verdict is Verdict.UNKNOWN
    assert report.reason == "recall is not defined on these rows: no outcome is positive."


def test_a_promise_that_says_nothing_of_its_uncertainty_is_unknown_and_says_why():
    """A model without any error on its held-out rows: nobody knows how sure that is."""
    scores = _regression(0, 200, 0.0)
    report = _performance(_regression(1, 300, 0.5), _promised(scores, Task.REGRESSION), _rule("mae"), Task.REGRESSION)
    assert report.verdict is Verdict.UNKNOWN
    assert report.reason == (
        "mae of training has no interval, so a change cannot be told from chance. "
        "No row differs: n = 200 rows say nothing of its uncertainty."
    )
