"""Coefficients and permutation importance, against scikit-learn and the textbook."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.inspection import permutation_importance
from sklearn.linear_model import ElasticNet, HuberRegressor, LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import roc_auc_score

from vigie.training.report.influence import coefficients_of, column_names, permuted
from vigie.training.report.inputs import ReportInputs
from vigie.training.report.paths import prepared
from vigie.training.report.sandwich import standard_errors


def test_importance_is_scikit_learns(regression: ReportInputs) -> None:
    """Other shuffles of the same rows lose the same RMSE on average, within four standard errors."""
    winner, test = regression.leaderboard.winner.model, regression.split.test
    expected = permutation_importance(
        winner,
        regression.dataset.frame.iloc[test],
        regression.dataset.y[test],
        scoring="neg_root_mean_squared_error",
        n_repeats=40,
        random_state=regression.seed,
    )
    found = permuted(replace(regression, effort=replace(regression.effort, shuffles=200)))
    by_name = dict(zip(found.names, found.lost, strict=True))
    for name, lost in zip(regression.dataset.schema.names, expected.importances, strict=True):
        ours = by_name[name]
        error = np.hypot(ours.std() / np.sqrt(len(ours)), lost.std() / np.sqrt(len(lost)))
        assert abs(ours.mean() - lost.mean()) <= 4 * error
        assert ours.std() == pytest.approx(lost.std(), rel=0.5)
    assert found.n == len(test)


def test_a_shuffle_is_judged_as_scikit_learn_would(binary: ReportInputs) -> None:
    """A single feature shuffled by hand, in the order that the seed gives, loses exactly what is reported."""
    test = binary.split.test
    frame, y = binary.dataset.frame.iloc[test], binary.dataset.y[test]
    rng = np.random.default_rng(binary.seed)
    chosen = rng.permutation(test)[: binary.effort.judged_rows] if len(test) > binary.effort.judged_rows else test
    frame, y = binary.dataset.frame.iloc[chosen], binary.dataset.y[chosen]
    model, found = binary.leaderboard.winner.model, permuted(binary)
    whole = roc_auc_score(y, model.predict_proba(frame)[:, 1])
    for at in range(binary.effort.shuffles):
        shuffled = frame.assign(satisfaction=frame["satisfaction"].to_numpy()[rng.permutation(len(frame))])
        lost = whole - roc_auc_score(y, model.predict_proba(shuffled)[:, 1])
        assert found.lost[found.names.index("satisfaction"), at] == pytest.approx(lost, abs=1e-12)


def test_coefficients_are_the_models(regression: ReportInputs) -> None:
    """Every value is the fitted estimator's, sorted by size."""
    found = coefficients_of(regression)
    estimator = regression.leaderboard.winner.model.named_steps["model"]
    by_name = dict(zip(found.names, found.values, strict=True))
    assert by_name == pytest.approx(dict(zip(regression.dataset.schema.names, estimator.coef_, strict=True)))
    assert (np.diff(np.abs(found.values)) <= 0).all()
    kept = found.values != 0
    assert ((found.low < found.values) & (found.values < found.high))[kept].all()
    assert np.isnan(found.low[~kept]).all()


def test_intervals_are_about_the_textbooks(regression: ReportInputs) -> None:
    """For least squares the mean width is near that of the t intervals, which suppose one spread of errors."""
    ols = next(entry for entry in regression.leaderboard.entries if entry.name == "ols")
    columns, y = prepared(regression, ols.model)
    design = np.column_stack([np.ones(len(y)), columns])
    residuals = y - ols.model.predict(regression.dataset.frame.iloc[regression.split.train])
    variance = residuals @ residuals / (len(y) - design.shape[1])
    expected = np.sqrt(variance * np.diag(np.linalg.inv(design.T @ design)))[1:]
    found = standard_errors(ols.model.named_steps["model"], columns, y)
    assert np.median(found / expected) == pytest.approx(1, abs=0.1)


PENALISED = [
    Ridge(alpha=20.0), LinearRegression(), ElasticNet(alpha=0.02, l1_ratio=0.5), LogisticRegression(C=0.05),
    LogisticRegression(C=np.inf), LinearRegression(fit_intercept=False),
]  # fmt: skip


@pytest.mark.parametrize("estimator", PENALISED, ids=str)
def test_intervals_are_the_bootstraps(estimator: Any) -> None:
    """Fitting again to rows drawn with replacement spreads each coefficient as widely, uneven errors included."""
    rng = np.random.default_rng(3)
    columns = rng.normal(size=(500, 3)) @ np.array([[1.0, 0.4, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 2.0]])
    answer = columns @ [1.0, -0.6, 0.4] + rng.normal(size=500) * (0.5 + np.abs(columns[:, 0]))
    y = (answer > 0).astype(np.int64) if hasattr(estimator, "predict_proba") else answer
    found = standard_errors(clone(estimator).fit(columns, y), columns, y)
    drawn = [clone(estimator).fit(columns[rows], y[rows]).coef_.ravel() for rows in rng.integers(0, 500, (400, 500))]
    np.testing.assert_allclose(found, np.std(drawn, axis=0), rtol=0.15)


def test_an_unknown_loss_has_no_interval(regression: ReportInputs) -> None:
    """An estimator that we cannot judge shows its coefficients without a claim."""
    columns, y = prepared(regression, regression.leaderboard.winner.model)
    assert np.isnan(standard_errors(HuberRegressor(max_iter=500).fit(columns, y), columns, y)).all()


def test_one_hot_columns_are_named_by_their_level(multiclass: ReportInputs) -> None:
    """The columns that reach the estimator are as many as their names."""
    model = multiclass.leaderboard.winner.model
    names = column_names(model, multiclass.dataset.schema)
    assert len(names) == model.named_steps["model"].coef_.shape[1]
    assert {"cellar = north", "cellar = south"} < set(names)


def test_several_answers_have_no_single_coefficient(multiclass: ReportInputs) -> None:
    """A model of three classes shows importance only."""
    assert coefficients_of(multiclass) is None
