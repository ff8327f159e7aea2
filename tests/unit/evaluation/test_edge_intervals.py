"""Intervals of shares, precision, recall and F1 where no row missed, or none hit."""

import numpy as np
import pytest
from scipy.stats import binomtest

from vigie.domain.task import Task
from vigie.evaluation.intervals import measure, wilson
from vigie.evaluation.metrics import Scores


def _measured(y, predicted, task=Task.BINARY):
    y, predicted = np.array(y), np.array(predicted)
    proba = np.eye(int(max(y.max(), predicted.max(), 1)) + 1)[predicted] * 0.8 + 0.05
    return {item.name: item for item in measure(Scores(y, predicted, proba), task)}


def _theirs(successes, n, level=0.95):
    found = binomtest(successes, n).proportion_ci(level, method="wilson")
    return (found.low, found.high)


def _ends(item):
    return (item.interval.low, item.interval.high)


def test_a_recall_of_zero_is_counted_among_the_positives():
    """No positive of 10 was found in 75 rows: the interval is Wilson's of 0 of 10, by scipy."""
    found = _measured([1] * 10 + [0] * 65, [0] * 10 + [1] * 5 + [0] * 60)
    assert found["recall"].value == 0.0
    assert _ends(found["recall"]) == pytest.approx(_theirs(0, 10), abs=1e-12)


def test_a_precision_of_one_is_counted_among_the_predicted_positives():
    """All of 4 that were predicted came true: the interval is Wilson's of 4 of 4, by scipy."""
    found = _measured([1] * 10 + [0] * 65, [1] * 4 + [0] * 71)
    assert found["precision"].value == 1.0
    assert _ends(found["precision"]) == pytest.approx(_theirs(4, 4), abs=1e-12)


@pytest.mark.parametrize("hits", [0, 10])
def test_an_f1_at_an_end_has_the_interval_of_jaccards_index(hits):
    """F1 is 2J / (1 + J) of the hits among the rows that are positive or predicted so, here 10."""
    found = _measured([1] * 10 + [0] * 30, [1] * hits + [0] * (40 - hits))
    expected = [2 * end / (1 + end) for end in _theirs(hits, 10)]
    assert _ends(found["f1"]) == pytest.approx(expected, abs=1e-12)


def test_a_perfect_macro_f1_has_a_bound_for_all_classes_together():
    """Three classes of 20, 10 and 5 rows: the mean of their ends at a level of 1 - 0.05/3 each."""
    y = [0] * 20 + [1] * 10 + [2] * 5
    found = _measured(y, y, Task.MULTICLASS)
    lows = [_theirs(n, n, 1 - 0.05 / 3)[0] for n in (20, 10, 5)]
    assert _ends(found["f1_macro"]) == pytest.approx((np.mean([2 * low / (1 + low) for low in lows]), 1.0), abs=1e-12)


def test_what_is_counted_among_nothing_has_no_interval():
    """Without a positive outcome, recall is 0/0."""
    assert _measured([0] * 50, [1] * 5 + [0] * 45)["recall"].interval is None


@pytest.mark.parametrize("n", [1, 3, 19, 500, 12_345])
def test_an_interval_of_a_share_holds_the_share(n):
    """Rounding does not part 0 and 1 from the ends they are."""
    assert wilson(0, n).low == 0.0
    assert wilson(n, n).high == 1.0
