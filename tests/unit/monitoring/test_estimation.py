"""Estimates: named so, blind to concept drift, tried on outcomes, switched off where they failed."""

import json

import numpy as np
import pandas as pd
import pytest

from vigie.domain.measurement import Verdict
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.errors import BundleError, BundleFormatError
from vigie.evaluation.intervals import measure
from vigie.evaluation.metrics import Scores
from vigie.monitoring.estimation import (
    BLIND,
    NO_BASIS,
    EstimatedRows,
    EstimationRule,
    estimate_performance,
    fit_basis,
    read_basis,
)
from vigie.monitoring.expected import Answers

SCHEMA = Schema((Feature("x", Kind.NUMBER),), Target("y", Task.BINARY, (False, True)))
PRICES = Schema((Feature("x", Kind.NUMBER),), Target("y", Task.REGRESSION))
RULE = EstimationRule(Task.BINARY, ("roc_auc", "log_loss"), margin=0.02, min_labelled=100)
ALPHA = 0.01


def rows(seed, n, *, shift=0.0, flipped=0.0):
    """Return a frame and a right model's scores; ``flipped`` is the share of outcomes turned round (concept drift)."""
    rng = np.random.default_rng(seed)
    x = rng.normal(shift, 1.0, n)
    proba = 1 / (1 + np.exp(-1.5 * x))
    y = (rng.random(n) < proba) ^ (rng.random(n) < flipped)
    scores = Scores(y.astype(int), (proba > 0.5).astype(int), np.column_stack([1 - proba, proba]))
    return pd.DataFrame({"x": x}), scores


REFERENCE = rows(0, 4_000)
BASIS = read_basis(fit_basis(SCHEMA, *REFERENCE))
PROMISED = {item.name: item for item in measure(REFERENCE[1], Task.BINARY)}


def estimated(frame, scores, *, known=0, failed="", basis=BASIS):
    """Estimate all rows; the outcomes of the first ``known`` are known. The report must be writable as JSON."""
    some = slice(0, known)
    window = EstimatedRows(
        Answers(scores.predicted, scores.proba),
        frame,
        scores.take(np.arange(known)) if known else None,
        frame.iloc[some] if known else None,
    )
    report = estimate_performance(window, basis, PROMISED, RULE, alpha=ALPHA, failed=failed)
    json.dumps(report.to_dict(), allow_nan=False)
    return report


def value(report, name):
    """Return one estimate."""
    return next(item for item, _ in report.metrics if item.name == name)


def test_every_estimate_says_that_it_is_one():
    """Each has an interval, and the sentence that it is blind to a change of meaning."""
    report = estimated(*rows(1, 2_000))
    assert report.verdict is Verdict.OK
    assert {item.reason for item, _ in report.metrics} == {BLIND}
    assert all(item.interval.low < item.value < item.interval.high for item, _ in report.metrics)
    assert [item.name for item, _ in report.metrics][:2] == ["roc_auc", "log_loss"]


def test_other_inputs_move_the_estimate_and_warn():
    """All rows near the boundary: the ranking will be worse, and the estimate says so before any outcome."""
    frame, scores = rows(1, 20_000)
    near = np.abs(frame["x"].to_numpy()) < 0.5
    report = estimated(frame[near], scores.take(near))
    assert report.verdict is Verdict.WARN
    assert "was promised: worse by" in report.reason
    realised = measure(scores.take(near), Task.BINARY)[0]
    assert value(report, "roc_auc").value == pytest.approx(realised.value, abs=0.03)


def test_an_estimate_is_blind_to_concept_drift():
    """A third of the outcomes turned round: the estimate does not move, what came out falls by a quarter."""
    frame, scores = rows(2, 4_000, flipped=0.3)
    calm = estimated(*rows(2, 4_000))
    report = estimated(frame, scores)
    assert report.verdict is Verdict.OK
    assert value(report, "accuracy").value == pytest.approx(value(calm, "accuracy").value, abs=1e-12)
    assert measure(scores, Task.BINARY)[3].value < value(report, "accuracy").value - 0.1


def test_the_trial_catches_concept_drift_and_switches_estimates_off():
    """With 300 of its outcomes the same window fails: no estimate is shown, and the reason has both figures."""
    report = estimated(*rows(2, 4_000, flipped=0.3), known=300)
    assert report.verdict is Verdict.UNKNOWN
    assert report.metrics == ()
    assert report.failed.startswith("Estimates are switched off: ")
    assert not all(trial.passed for trial in report.trials)


def test_estimates_stay_off_until_a_trial_is_passed():
    """Without outcomes the last failure still counts; a window that comes out as estimated switches them on again."""
    frame, scores = rows(3, 2_000)
    assert estimated(frame, scores, failed="It failed.").reason == "It failed."
    again = estimated(frame, scores, known=500, failed="It failed.")
    assert (again.failed, bool(again.metrics)) == ("", True)


def test_right_estimates_seldom_fail_their_trial():
    """Fifty windows of 200 outcomes: more than two failures would have a probability below 0.001."""
    failures = sum(bool(estimated(*rows(seed, 200), known=200).failed) for seed in range(10, 60))
    assert failures <= 2


def test_too_few_rows_are_not_estimated():
    """Ninety-nine predictions, or one: not known."""
    for n in (0, 1, 99):
        report = estimated(*rows(1, n))
        assert report.verdict is Verdict.UNKNOWN
        assert "Not enough data yet" in report.reason


def test_a_version_without_a_basis_says_so():
    """A bundle made before, or by a model whose every row was its own teacher."""
    assert estimated(*rows(1, 500), basis=None).reason == NO_BASIS
    assert fit_basis(SCHEMA, *rows(1, 99)) is None
    assert read_basis(None) is None


def test_a_regression_is_estimated_by_its_error_tree():
    """MAE and RMSE within a tenth of what comes out, and tried like the others."""
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 2, 6_000)
    truth = rng.normal(0, 1, 6_000)
    frame, scores = pd.DataFrame({"x": x}), Scores(truth + x * rng.normal(0, 1, 6_000), truth)
    first, second = np.arange(4_000), np.arange(4_000, 6_000)
    basis = read_basis(fit_basis(PRICES, frame.iloc[first], scores.take(first)))
    promised = {item.name: item for item in measure(scores.take(first), Task.REGRESSION)}
    window = scores.take(second)
    rule = EstimationRule(Task.REGRESSION, ("rmse",), margin=0.02, min_labelled=100)
    asked = EstimatedRows(Answers(window.predicted), frame.iloc[second], window, frame.iloc[second])
    report = estimate_performance(asked, basis, promised, rule, alpha=ALPHA)
    realised = {item.name: item.value for item in measure(window, Task.REGRESSION)}
    assert {item.name for item, _ in report.metrics} == {"rmse", "mae"}
    assert {item.name: item.value for item, _ in report.metrics} == pytest.approx(
        {name: realised[name] for name in ("rmse", "mae")}, rel=0.1
    )
    assert report.trials[0].passed


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"format": 1}',
        b'{"format": 1, "score_maps": {"maps": []}}',
        b'{"format": 1, "score_maps": {"maps": [{"scores": [NaN], "shares": [0.5], "rows": [1]}]}}',
        b'{"format": 1, "error_tree": {"columns": 3}}',
        b"[" * 100_000,
    ],
)
def test_a_broken_member_is_refused(content):
    """Whatever stands there instead of a basis is a BundleError, never another exception."""
    with pytest.raises(BundleError):
        read_basis(content)


def test_another_layout_is_refused_by_its_number():
    """A newer Vigie's member."""
    with pytest.raises(BundleFormatError):
        read_basis(b'{"format": 2}')


def test_an_estimate_without_spread_has_no_interval():
    """Every reference row was 2 off: the tree expects that of all, and cannot say how sure that is."""
    x = np.linspace(0, 1, 400)
    frame, scores = pd.DataFrame({"x": x}), Scores(x + 2, x)
    basis = read_basis(fit_basis(PRICES, frame, scores))
    rule = EstimationRule(Task.REGRESSION, ("mae",), margin=0.02, min_labelled=100)
    report = estimate_performance(EstimatedRows(Answers(x), frame), basis, {}, rule, alpha=ALPHA)
    assert [(item.value, item.interval) for item, _ in report.metrics] == [(pytest.approx(2), None)] * 2
