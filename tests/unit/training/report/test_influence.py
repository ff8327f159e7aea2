"""Coefficients and permutation importance, against scikit-learn and the textbook."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.inspection import permutation_importance

from vigie.training.report.influence import coefficients_of, column_names, permuted
from vigie.training.report.inputs import ReportInputs
from vigie.training.report.paths import prepared


def test_importance_is_scikit_learns(regression: ReportInputs) -> None:
    """Shuffling held-out rows with the same seed loses the same RMSE."""
    winner, test = regression.leaderboard.winner.model, regression.split.test
    expected = permutation_importance(
        winner,
        regression.dataset.frame.iloc[test],
        regression.dataset.y[test],
        scoring="neg_root_mean_squared_error",
        n_repeats=regression.effort.shuffles,
        random_state=regression.seed,
    )
    found = permuted(regression)
    by_name = dict(zip(found.names, found.lost, strict=True))
    for name, lost in zip(regression.dataset.schema.names, expected.importances, strict=True):
        np.testing.assert_allclose(by_name[name], lost)
    assert found.n == len(test)


def test_coefficients_are_the_models(regression: ReportInputs) -> None:
    """Every value is the fitted estimator's, sorted by size."""
    found = coefficients_of(regression)
    estimator = regression.leaderboard.winner.model.named_steps["model"]
    by_name = dict(zip(found.names, found.values, strict=True))
    assert by_name == pytest.approx(dict(zip(regression.dataset.schema.names, estimator.coef_, strict=True)))
    assert (np.diff(np.abs(found.values)) <= 0).all()
    assert ((found.low <= found.values) & (found.values <= found.high)).mean() > 0.8


def test_bootstrap_intervals_are_about_the_textbooks(regression: ReportInputs) -> None:
    """For least squares the mean width is near that of the t intervals."""
    board = regression.leaderboard
    ols = next(entry for entry in board.entries if entry.name == "ols")
    inputs = replace(
        regression, leaderboard=replace(board, winner=ols), effort=replace(regression.effort, resamples=300)
    )
    columns, y = prepared(inputs, ols.model)
    design = np.column_stack([np.ones(len(y)), columns])
    residuals = y - ols.model.predict(inputs.dataset.frame.iloc[inputs.split.train])
    variance = residuals @ residuals / (len(y) - design.shape[1])
    errors = np.sqrt(variance * np.diag(np.linalg.inv(design.T @ design)))[1:]
    found = coefficients_of(inputs)
    names = list(inputs.dataset.schema.names)
    expected = np.array([errors[names.index(name)] for name in found.names])
    assert np.median((found.high - found.low) / (2 * 1.97 * expected)) == pytest.approx(1, abs=0.15)


def test_one_hot_columns_are_named_by_their_level(multiclass: ReportInputs) -> None:
    """The columns that reach the estimator are as many as their names."""
    model = multiclass.leaderboard.winner.model
    names = column_names(model, multiclass.dataset.schema)
    assert len(names) == model.named_steps["model"].coef_.shape[1]
    assert {"cellar = north", "cellar = south"} < set(names)


def test_several_answers_have_no_single_coefficient(multiclass: ReportInputs) -> None:
    """A model of three classes shows importance only."""
    assert coefficients_of(multiclass) is None
