"""Regularisation paths, against scikit-learn's own fits."""

import numpy as np
import pytest
from sklearn.linear_model import Lasso, Ridge

from vigie.reporting.theme import QUIET
from vigie.training.report.inputs import ReportInputs
from vigie.training.report.paths import Path, path_of, prepared, regularisation


def entry_path(inputs: ReportInputs, name: str) -> Path:
    """Return the path of a named candidate."""
    return path_of(inputs, next(entry for entry in inputs.leaderboard.entries if entry.name == name))


@pytest.mark.parametrize(("name", "kind"), [("ridge", Ridge), ("lasso", Lasso)])
def test_a_path_holds_what_scikit_learn_fits(regression: ReportInputs, name: str, kind: type) -> None:
    """At the ends and in the middle of the path, a fit with that penalty has the same coefficients."""
    entry = next(entry for entry in regression.leaderboard.entries if entry.name == name)
    columns, y = prepared(regression, entry.model)
    path = entry_path(regression, name)
    for at in (0, 25, 45, 59):
        options = {"max_iter": 100_000, "tol": 1e-10} if kind is Lasso else {}
        expected = kind(alpha=path.penalties[at], **options).fit(columns, y).coef_
        np.testing.assert_allclose(path.coefficients[at], expected, atol=0.15 if kind is Lasso else 1e-8)


def test_the_chosen_penalty_is_the_candidates(regression: ReportInputs) -> None:
    """The mark stands at the tuned value, with the coefficients of the fitted candidate."""
    entry = next(entry for entry in regression.leaderboard.entries if entry.name == "lasso")
    path = entry_path(regression, "lasso")
    assert path.chosen == entry.model.named_steps["model"].alpha_
    assert (path.at_chosen == 0).sum() == entry.n_features_in - entry.n_features_kept


def test_lasso_ends_with_nothing_and_ridge_keeps_all(regression: ReportInputs) -> None:
    """At the last λ every LASSO coefficient is zero; ridge never has one."""
    lasso, ridge = entry_path(regression, "lasso"), entry_path(regression, "ridge")
    assert lasso.n_zero[-1] == 10
    assert lasso.n_zero[0] == 0
    assert not ridge.n_zero.any()
    assert np.abs(ridge.coefficients[-1]).max() < 0.2 * np.abs(ridge.coefficients[0]).max()


def test_each_path_has_its_counts_of_zeros(regression: ReportInputs) -> None:
    """Both candidates show coefficients and sparsity; OLS has no path."""
    found = regularisation(regression)
    assert {figure.name for figure in found.figures} == {"path_lasso", "path_ridge", "zeros_lasso", "zeros_ridge"}


def test_no_path_without_ridge_or_lasso(binary: ReportInputs) -> None:
    """A training without them has no such section."""
    assert regularisation(binary) is None


def test_grey_is_what_the_caption_says(regression: ReportInputs) -> None:
    """A line is grey exactly where the chosen coefficient is zero, whether or not it has a name beside it."""
    figure = next(item for item in regularisation(regression).figures if item.name == "path_lasso")
    lines = next(layer for layer in figure.spec["layer"] if "detail" in layer["encoding"])["data"]["values"]
    grey = {int(row["name"]) for row in lines if row["colour"] == QUIET}
    assert grey == set(np.flatnonzero(entry_path(regression, "lasso").at_chosen == 0))
