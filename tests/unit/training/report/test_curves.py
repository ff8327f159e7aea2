"""Learning and validation curves, against scikit-learn on the same folds."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_score, validation_curve

from vigie.training.report.curves import bias_and_variance, dial_curve, learning_curve, rounds_curve
from vigie.training.report.dials import dial_of
from vigie.training.report.inputs import ReportInputs
from vigie.training.report.refits import fewer, refitted, scores_at, some_folds
from vigie.training.tuner import plain


def all_rows(inputs: ReportInputs) -> ReportInputs:
    """Return the inputs with no limit on rows."""
    return replace(inputs, effort=replace(inputs.effort, rows=1_000_000))


def test_the_last_point_of_the_learning_curve_is_cross_validation(binary: ReportInputs) -> None:
    """With all rows of each fold the unseen side is scikit-learn's cross-validated score."""
    inputs = all_rows(binary)
    winner = inputs.leaderboard.winner.model
    expected = cross_val_score(
        clone(winner), inputs.dataset.frame, inputs.dataset.y, cv=some_folds(inputs), scoring="roc_auc"
    )
    curve = learning_curve(inputs)
    whole = [at for at, (fit, _) in enumerate(some_folds(inputs)) if len(fit) == curve.at[-1]]
    assert whole
    np.testing.assert_allclose(curve.unseen[-1, whole], expected[whole])


def test_a_learning_curve_grows_to_the_stated_rows(binary: ReportInputs) -> None:
    """Sizes rise and end at the limit."""
    curve = learning_curve(binary)
    assert (np.diff(curve.at) > 0).all()
    assert curve.at[-1] == binary.effort.rows
    assert curve.unseen.shape == (len(curve.at), binary.effort.folds)


def test_no_fold_judges_rows_it_learnt_from(binary: ReportInputs) -> None:
    """Rows learnt from, rows left out and held-out rows are three disjoint sets."""
    for fit, check in some_folds(binary):
        assert not set(fit) & set(check)
        assert not set(binary.split.test) & (set(fit) | set(check))


def test_the_dial_is_scikit_learns_validation_curve(binary: ReportInputs) -> None:
    """Both sides agree at every value of C."""
    inputs = all_rows(binary)
    winner = inputs.leaderboard.winner.model
    dial = dial_of(winner.named_steps["model"], 3)
    seen, unseen = validation_curve(
        clone(winner),
        inputs.dataset.frame,
        inputs.dataset.y,
        param_name="model__C",
        param_range=dial.values,
        cv=some_folds(inputs),
        scoring="roc_auc",
    )
    curve = dial_curve(inputs, dial)
    np.testing.assert_allclose(curve.seen, seen)
    np.testing.assert_allclose(curve.unseen, unseen)


def test_the_last_round_is_the_whole_model(boosted: ReportInputs) -> None:
    """After its last round a boosted model scores what its fit scores."""
    curve = rounds_curve(boosted)
    fit, check = some_folds(boosted)[0]
    model = refitted(boosted, fewer(boosted, fit, boosted.effort.rows))
    scores = scores_at(boosted, model, check)
    losses = -np.log(scores.proba[np.arange(len(scores)), scores.y])
    assert curve.unseen[-1, 0] == pytest.approx(losses.mean())
    assert curve.seen[-1].mean() < curve.seen[0].mean()
    assert roc_auc_score(scores.y, scores.proba[:, 1]) > 0.5


def test_a_tuned_lasso_turns_its_own_penalty(regression: ReportInputs) -> None:
    """The dial of a tuned estimator is λ, centred on the chosen one, and no longer tunes itself."""
    entry = next(entry for entry in regression.leaderboard.entries if entry.name == "lasso")
    estimator = entry.model.named_steps["model"]
    dial = dial_of(estimator, 5)
    assert dial.values[len(dial.values) // 2] == pytest.approx(estimator.alpha_)
    assert type(plain(estimator)).__name__ == "Lasso"
    assert dial.set_to(0.5).alpha == 0.5


def test_an_estimator_without_a_dial_says_so(regression: ReportInputs) -> None:
    """Least squares has nothing to turn, and the section tells why the curve is absent."""
    board = regression.leaderboard
    ols = next(entry for entry in board.entries if entry.name == "ols")
    found = bias_and_variance(replace(regression, leaderboard=replace(board, winner=ols)))
    assert [figure.name for figure in found.figures] == ["learning_curve"]
    assert "LinearRegression" in found.notes[0]
