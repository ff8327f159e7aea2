"""A grid is searched where nothing can be spoilt by it, within its time, and the reported figure is nested."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from vigie.training.dataset import DataSpec, build_dataset
from vigie.training.folds import folds_of
from vigie.training.search import TrainingSpec, train_candidates
from vigie.training.split import split
from vigie.training.tuning import INNER_FOLDS

SPEC = DataSpec("y", None, None, None, None, (), 0.25, 7, "auto")
ALPHAS = [0.1, 10.0, 1000.0]
RIDGE = {"name": "ridge", "grid": {"alpha": ALPHAS}}


@pytest.fixture(scope="module")
def data():
    """Return rows with more noise than signal."""
    rng = np.random.default_rng(8)
    columns = rng.normal(size=(120, 6))
    y = columns[:, 0] + rng.normal(size=120) * 2
    return build_dataset(pa.table({**{f"x{i}": columns[:, i] for i in range(6)}, "y": y}), SPEC, None)


def trained(data, asked, *, seconds=lambda: 0.0, budget_s=None, told=None):
    """Return the leaderboard, in three folds."""
    spec = TrainingSpec(tuple(asked), "rmse", 3, 7, budget_s)
    progress = (lambda *step: told.append(step)) if told is not None else (lambda *_: None)
    return train_candidates(data, split(data, SPEC), spec, progress=progress, seconds=seconds)


def test_the_figure_is_that_of_scikit_learns_nested_search(data):
    """GridSearchCV inside cross_val_score, on the same folds inside and outside."""
    entry = trained(data, [RIDGE]).winner
    rows = split(data, SPEC)
    X, y = data.frame.to_numpy(), data.y
    values = []
    for fit, check in folds_of(data, rows, n_folds=3, seed=7):
        where = {row: position for position, row in enumerate(fit)}
        inner = [
            ([where[row] for row in a], [where[row] for row in b])
            for a, b in folds_of(data, replace(rows, train=fit), n_folds=INNER_FOLDS, seed=7)
        ]
        search = GridSearchCV(
            make_pipeline(StandardScaler(), Ridge()),
            {"ridge__alpha": ALPHAS},
            cv=inner,
            scoring="neg_root_mean_squared_error",
        ).fit(X[fit], y[fit])
        values.append(float(np.sqrt(np.mean((search.predict(X[check]) - y[check]) ** 2))))
    assert entry.folds["rmse"] == pytest.approx(values, rel=1e-12)
    assert entry.cv.value == pytest.approx(np.mean(values), rel=1e-12)


def test_the_last_fit_searches_all_training_rows(data):
    """Its choice is the one with the best inner cross-validation there."""
    entry = trained(data, [RIDGE]).winner
    rows = split(data, SPEC)
    where = {row: position for position, row in enumerate(rows.train)}
    inner = [
        ([where[row] for row in a], [where[row] for row in b])
        for a, b in folds_of(data, rows, n_folds=INNER_FOLDS, seed=7)
    ]
    X, y = data.frame.to_numpy()[rows.train], data.y[rows.train]
    merits = [
        cross_val_score(
            make_pipeline(StandardScaler(), Ridge(alpha)), X, y, cv=inner, scoring="neg_root_mean_squared_error"
        ).mean()
        for alpha in ALPHAS
    ]
    assert entry.chosen == {"alpha": ALPHAS[int(np.argmax(merits))]}
    assert entry.params == {"alpha": f"{entry.chosen['alpha']:.6g}"}
    assert entry.model.named_steps["model"].alpha == entry.chosen["alpha"]
    assert (entry.search.n_points, entry.search.n_tried) == (3, 3)


def test_the_budget_ends_the_search_and_says_so(data):
    """Every reading of the clock takes a second: one point is always tried, and the folds try as many."""
    clock = iter(range(10_000))
    told = []
    board = trained(data, [RIDGE, "ols"], seconds=lambda: float(next(clock)), budget_s=4.0, told=told)
    entry = next(entry for entry in board.entries if entry.name == "ridge")
    assert (entry.search.n_points, entry.search.n_tried) == (3, 1)
    assert entry.notes == ("training.budget ended the search after 1 of 3 grid points.",)
    # 4 fits of 3 candidates, and 4 searches of 3 points in 3 folds; then of one point
    assert told[0] == ("ridge", 0, 12 + 36)
    assert told[-1] == ("dummy", 12 + 12, 12 + 12)
    steps = np.diff([done for _, done, _ in told])
    assert (steps.min(), steps.max()) == (0, INNER_FOLDS)  # no jump at the end


def test_without_a_grid_nothing_is_searched(data):
    """And the budget changes nothing."""
    entry = trained(data, ["ols"], budget_s=0.001).winner
    assert entry.search is None
    assert entry.notes == ()


def test_durations_come_from_the_clock_that_was_given(data):
    """One reading before and one after; a clock that steps back makes no negative length."""
    forward, backward = iter([10.0, 12.5, 20.0, 20.5]), iter([10.0, 2.5, 20.0, 20.5])
    assert trained(data, ["ols"], seconds=lambda: next(forward)).winner.seconds == 2.5
    assert trained(data, ["ols"], seconds=lambda: next(backward)).winner.seconds == 0.0
