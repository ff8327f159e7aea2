"""What decisions are worth."""

import numpy as np
import pytest
from scipy.stats import norm, sem

from vigie.evaluation.metrics import Scores
from vigie.evaluation.value import DecisionValue, value_per_thousand

VALUE = DecisionValue(true_positive=80, false_positive=-10, false_negative=-60, true_negative=1, unit="EUR")


def test_each_case_has_its_worth():
    """TP, FP, FN, TN in this order."""
    scores = Scores(y=np.array([1, 0, 1, 0]), predicted=np.array([1, 1, 0, 0]))
    assert VALUE.per_row(scores).tolist() == [80, -10, -60, 1]


def test_value_of_a_thousand_with_the_interval_of_a_mean():
    """The mean times 1,000, and the normal interval that scipy's standard error gives."""
    rng = np.random.default_rng(0)
    scores = Scores(y=rng.integers(0, 2, 200), predicted=rng.integers(0, 2, 200))
    worth = VALUE.per_row(scores)
    measured = value_per_thousand(scores, VALUE, level=0.9)
    low, high = norm.interval(0.9, loc=worth.mean(), scale=sem(worth))
    assert (measured.value, measured.unit, measured.n) == (pytest.approx(worth.mean() * 1000), "EUR/1000", 200)
    assert (measured.interval.low, measured.interval.high) == (pytest.approx(low * 1000), pytest.approx(high * 1000))


def test_no_decision_has_no_value():
    """No row: None and a reason; one row: a value without an interval and a reason."""
    none = value_per_thousand(Scores(np.empty(0), np.empty(0)), VALUE)
    one = value_per_thousand(Scores(np.array([1]), np.array([1])), VALUE)
    assert (none.value, one.value, one.interval) == (None, 80_000.0, None)
    assert none.reason
    assert one.reason
