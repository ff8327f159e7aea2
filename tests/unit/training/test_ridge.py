"""The fast path chooses the penalty that scikit-learn's thousand fits choose."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.linear_model import RidgeCV
from sklearn.preprocessing import StandardScaler

from vigie.training.ridge import best_alpha

ALPHAS = np.logspace(-3, 2, 30)


@pytest.mark.parametrize(("n", "p", "noise"), [(60, 5, 1.0), (60, 5, 30.0), (200, 20, 5.0), (30, 45, 2.0)])
def test_the_choice_is_scikit_learns(n, p, noise):
    """Much or little noise, more rows than columns or fewer."""
    rng = np.random.default_rng(n + p)
    X = rng.normal(size=(n, p)) * rng.uniform(0.1, 10, p) + 3
    y = X @ rng.normal(size=p) + noise * rng.normal(size=n) + 7
    assert best_alpha(X, y, ALPHAS, n_folds=10) == RidgeCV(alphas=ALPHAS, cv=10).fit(X, y).alpha_


def test_collinear_columns_do_not_disturb_it():
    """The diabetes measurements, with one of them twice."""
    X, y = load_diabetes(return_X_y=True)
    X = StandardScaler().fit_transform(np.column_stack([X, X[:, 3]]))
    assert best_alpha(X, y, ALPHAS, n_folds=10) == RidgeCV(alphas=ALPHAS, cv=10).fit(X, y).alpha_


def test_folds_without_spread_have_no_say():
    """Twelve rows in six folds: in the first three pairs the outcomes are equal, and the others choose."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(12, 2))
    y = np.r_[np.ones(6), X[6:, 0] + rng.normal(size=6)]
    assert best_alpha(X, y, ALPHAS, n_folds=6) == RidgeCV(alphas=ALPHAS, cv=6).fit(X, y).alpha_


def test_few_rows_make_fewer_folds():
    """Five rows are five folds of one row each, which have no say: the first value stands."""
    X = np.arange(5.0)[:, None]
    assert best_alpha(X, X[:, 0], ALPHAS, n_folds=10) == ALPHAS[0]
