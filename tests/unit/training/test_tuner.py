"""The tuner's own figure is what scikit-learn's tuned estimators see inside, and is never taken for the honest one."""

import numpy as np
import pyarrow as pa
import pytest
from sklearn.linear_model import ElasticNetCV, LassoCV, Ridge
from sklearn.model_selection import KFold, cross_val_score
from sklearn.preprocessing import StandardScaler

from vigie.training.dataset import DataSpec, build_dataset
from vigie.training.search import TrainingSpec, train_candidates
from vigie.training.split import split
from vigie.training.tuner import tuner_figure

N = 80
ALPHAS = np.logspace(-3, 0, 20)


@pytest.fixture(scope="module")
def rows():
    """Return columns on unlike scales, and an outcome that two of them explain."""
    rng = np.random.default_rng(4)
    X = rng.normal(size=(N, 4)) * [1, 10, 100, 1] + 5
    return X, X[:, 0] - X[:, 1] / 5 + rng.normal(size=N)


@pytest.mark.parametrize("tuned", [LassoCV(alphas=ALPHAS, cv=10), ElasticNetCV(l1_ratio=0.5, alphas=ALPHAS, cv=10)])
def test_it_is_what_the_path_saw(rows, tuned):
    """The mean squared errors of each fold along LassoCV's path, at the penalty it chose, are the figure's own."""
    X, y = StandardScaler().fit_transform(rows[0]), rows[1]
    tuned.fit(X, y)
    found = tuner_figure(tuned, X, y, n_folds=10, tuned=True)
    seen = np.sqrt(tuned.mse_path_[np.isclose(tuned.alphas_, tuned.alpha_)][0])
    assert found.folds == pytest.approx(seen, rel=1e-4)  # the path starts each penalty from the last one's coefficients
    assert (found.alpha, found.tuned) == (tuned.alpha_, True)
    assert found.rmse == pytest.approx(np.mean(seen), rel=1e-4)


@pytest.fixture(scope="module")
def board(rows):
    """Return a leaderboard with a penalty fixed, one tuned, and none."""
    columns = {f"x{i}": rows[0][:, i] for i in range(4)} | {"y": rows[1]}
    spec = DataSpec("y", None, None, None, None, (), 0.25, 7, "auto")
    data = build_dataset(pa.table(columns), spec, None)
    asked = ({"name": "ridge", "alpha": 2.0}, "ridge", {"name": "ridge", "grid": {"alpha": [1.0, 3.0]}}, "ols")
    parts, how = split(data, spec), TrainingSpec(asked, "rmse", 4, 7, None)
    found = train_candidates(data, parts, how, progress=lambda *_: None, seconds=lambda: 0.0)
    return data, parts, {entry.name: entry for entry in found.entries}


def test_a_fixed_penalty_is_folded_as_the_ranking_is(board):
    """The scaler has seen all training rows, then four folds are cut."""
    data, parts, entries = board
    X, y = StandardScaler().fit_transform(data.frame.iloc[parts.train]), data.y[parts.train]
    expected = -cross_val_score(Ridge(2.0), X, y, cv=KFold(4), scoring="neg_root_mean_squared_error")
    entry = entries["ridge(alpha=2.0)"]
    assert entry.tuner.folds == pytest.approx(expected, rel=1e-9)
    assert (entry.tuner.alpha, entry.tuner.tuned) == (2.0, False)
    assert entry.cv.value != pytest.approx(entry.tuner.rmse, rel=1e-6)


def test_a_tuned_penalty_is_folded_in_ten(board):
    """As the tuning was; a penalty from the user's grid was not chosen by it."""
    entries = board[2]
    assert (len(entries["ridge"].tuner.folds), entries["ridge"].tuner.tuned) == (10, True)
    assert entries["ridge"].tuner.alpha == entries["ridge"].chosen["alpha"]
    assert (len(entries["ridge(alpha=1.0|3.0)"].tuner.folds), entries["ridge(alpha=1.0|3.0)"].tuner.tuned) == (4, False)


def test_without_a_penalty_there_is_none(board):
    """Neither a plain line nor the dummy."""
    assert board[2]["ols"].tuner is None
    assert board[2]["dummy"].tuner is None
