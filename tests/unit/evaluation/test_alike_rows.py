"""Intervals where no row differs from another: wide enough for what was not seen, or none, with the reason."""

import numpy as np
import pytest
from scipy.stats import binomtest

from vigie.domain.task import Task
from vigie.evaluation.intervals import measure
from vigie.evaluation.metrics import Scores
from vigie.evaluation.value import DecisionValue, value_per_thousand

SILENT = "No row differs: n = 12 rows say nothing of its uncertainty."


def _unseen(n):
    """Return Wilson's upper end of 0 of n, by scipy."""
    return binomtest(0, n).proportion_ci(0.95, method="wilson").high


def _binary(y, positive):
    y, positive = np.array(y), np.array(positive, dtype=float)
    scores = Scores(y, (positive > 0.5).astype(int), np.column_stack([1 - positive, positive]))
    return {item.name: item for item in measure(scores, Task.BINARY)}


def _numbers(y, predicted):
    scores = Scores(np.array(y, dtype=float), np.array(predicted, dtype=float))
    return {item.name: item for item in measure(scores, Task.REGRESSION)}


def _ends(item):
    return (item.interval.low, item.interval.high)


def test_a_loss_that_is_bounded_is_bounded_by_what_was_not_seen():
    """Forty rows, each 0.1 off: rows that would differ are at most Wilson's share, and may be anything."""
    found, unseen = _binary([0] * 40, [0.1] * 40), _unseen(40)
    assert _ends(found["brier"]) == pytest.approx((0.01 * (1 - unseen), 0.01 + unseen * 0.99), abs=1e-12)
    least, most = 0.0, -np.log(np.finfo(float).eps)
    loss = -np.log(0.9)
    expected = (loss - unseen * (loss - least), loss + unseen * (most - loss))
    assert _ends(found["log_loss"]) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("positive", "area"), [(0.9, 1.0), (0.1, 0.0), (0.5, 0.5)])
def test_pairs_that_are_all_ranked_alike_are_not_certain(positive, area):
    """Ten positives and thirty negatives make ten pairs that share no row."""
    found, unseen = _binary([1] * 10 + [0] * 30, [positive] * 10 + [0.5] * 30)["roc_auc"], _unseen(10)
    assert found.value == area
    assert _ends(found) == pytest.approx((area - unseen * area, area + unseen * (1 - area)), abs=1e-12)


@pytest.mark.parametrize("off", [0.0, 0.1, -3.7])
def test_an_error_without_bound_has_no_interval_and_says_why(off):
    """Twelve errors that are the same but for rounding say nothing of the thirteenth."""
    y = np.linspace(1, 7, 12)
    found = _numbers(y, y + off)
    for name in ("mae", "rmse"):
        assert found[name].value == pytest.approx(abs(off), abs=1e-12)
        assert (found[name].interval, found[name].reason) == (None, SILENT)


def test_a_perfect_fit_has_no_interval_and_says_why():
    """R² is 1 on these twelve rows, and may be anything below on others."""
    y = np.linspace(1, 7, 12)
    found = _numbers(y, y)["r2"]
    assert (found.value, found.interval, found.reason) == (1.0, None, SILENT)


@pytest.mark.parametrize(("y", "why"), [([1, 0, 0], "Too few rows for an interval."), ([1, 0, 1], "")])
def test_too_few_rows_for_an_area_are_named(y, why):
    """One positive row has no interval on the logit scale; two, in an order that is not perfect, have one."""
    found = _binary(y, [0.4, 0.6, 0.7])["pr_auc"]
    assert (found.interval is None, found.reason) == (bool(why), why)


def test_decisions_that_were_all_worth_the_same_are_not_certain():
    """Fifty times nothing happened: what was not seen may cost 60 or bring 80 each."""
    value = DecisionValue(true_positive=80, false_positive=-10, false_negative=-60, true_negative=0, unit="EUR")
    found = value_per_thousand(Scores(np.zeros(50), np.zeros(50)), value)
    assert found.value == 0
    assert _ends(found) == pytest.approx((-60_000 * _unseen(50), 80_000 * _unseen(50)))


def test_what_was_not_seen_is_covered():
    """A loss of 0 in all rows of a sample whose truth is 1 % of ones: 2,000 samples of 50 rows, covered by 95 %."""
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(2_000):
        found = _binary((rng.random(50) < 0.01).astype(int), [0.0] * 50)["brier"]
        held += found.interval.low <= 0.01 <= found.interval.high
    assert held / 2_000 >= 0.95
