"""A cross-validated figure has an interval that knows of shared rows, and repeats are averaged row by row."""

import numpy as np
import pytest

from vigie.domain.task import Task
from vigie.evaluation.metrics import METRICS, Scores
from vigie.training.cross_validation import cross_validated, mean_losses

FOLDS = [(np.arange(40), np.arange(40, 60))] * 4


def test_the_interval_is_nadeau_and_bengios():
    """Of 10, 12, 11 and 15: mean 12, variance 14/3; 20 rows checked to 40 learnt from; t(3) at 0.975 is 3.182446."""
    found = cross_validated(METRICS["rmse"], np.array([10.0, 12.0, 11.0, 15.0]), FOLDS, n=60, repeats=2)
    half = 3.182446 * ((1 / 4 + 20 / 40) * 14 / 3) ** 0.5
    assert (found.value, found.n) == (12.0, 60)
    assert (found.interval.low, found.interval.high) == pytest.approx((12 - half, 12 + half), rel=1e-6)
    assert found.reason == "Mean over 2 folds, dealt 2 times."


def test_a_metric_that_a_fold_does_not_define_has_no_mean():
    """The reason says so in place of a number."""
    found = cross_validated(METRICS["roc_auc"], np.array([0.8, np.nan, 0.7, 0.9]), FOLDS, n=60, repeats=1)
    assert (found.value, found.interval) == (None, None)
    assert found.reason == "roc_auc is not defined in at least one of 4 folds."


def test_losses_are_averaged_by_row():
    """Rows come in another order in the second repeat; each row's two squared errors meet, in the first's order."""
    rows = [[7, 3], [5], [3], [5, 7]]
    wrong_by = [[1.0, 2.0], [3.0], [4.0], [5.0, 6.0]]
    folds = [(np.array([0]), np.array(check)) for check in rows]
    checked = [Scores(np.array(errors), np.zeros(len(errors))) for errors in wrong_by]
    found = mean_losses(checked, folds, Task.REGRESSION, n_folds=2)
    assert found.tolist() == [(1 + 36) / 2, (4 + 16) / 2, (9 + 25) / 2]
    assert mean_losses(checked[:2], folds[:2], Task.REGRESSION, n_folds=2).tolist() == [1, 4, 9]
