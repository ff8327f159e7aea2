"""Residuals and decisions, against scipy and by hand."""

import numpy as np
import pytest
from scipy.stats import probplot

from vigie.evaluation.metrics import Scores
from vigie.evaluation.thresholds import best_threshold
from vigie.evaluation.value import DecisionValue
from vigie.training.report.decisions import chosen_threshold, decisions, gained, policies
from vigie.training.report.inputs import ReportInputs
from vigie.training.report.residuals import normal_quantiles, sliced

VALUE = DecisionValue(80.0, -10.0, -60.0, 0.0, "EUR")


def test_slices_hold_every_row_and_the_mean() -> None:
    """Weighted by rows, the slices' mean residual is that of all."""
    rng = np.random.default_rng(1)
    scores = Scores(rng.normal(size=333), rng.normal(size=333))
    found = sliced(scores)
    assert sum(item["n"] for item in found) == 333
    mean = sum(item["n"] * item["y"] for item in found) / 333
    assert mean == pytest.approx(np.mean(scores.y - scores.predicted))


def test_quantiles_are_scipys() -> None:
    """Expected quantiles agree with probplot, whose plotting positions differ a little at the ends."""
    errors = np.random.default_rng(2).normal(3, 5, 400)
    expected, found = normal_quantiles(errors)
    theirs, ordered = probplot(errors, fit=False)
    np.testing.assert_allclose(expected[1:-1], theirs[1:-1], atol=0.02)
    np.testing.assert_allclose(found, (ordered - errors.mean()) / errors.std(ddof=1))


def test_the_threshold_is_chosen_without_the_held_out_rows(binary: ReportInputs) -> None:
    """It is the best of the out-of-fold rows, whatever the test rows would prefer."""
    winner = binary.leaderboard.winner
    assert chosen_threshold(binary, VALUE) == best_threshold(winner.out_of_fold, VALUE)
    assert not set(winner.out_of_fold_rows) & set(binary.split.test)


def test_policies_are_worth_what_their_counts_say(binary: ReportInputs) -> None:
    """Always yes brings 80 for each positive and costs 10 for each other row; always no loses 60 a positive."""
    scores = binary.leaderboard.winner.test_scores
    positive, n = int((scores.y == 1).sum()), len(scores)
    found = {policy.name: policy.worth.value for policy in policies(binary, VALUE, 0.3)}
    assert found["always yes"] == pytest.approx(1000 * (80 * positive - 10 * (n - positive)) / n)
    assert found["always no"] == pytest.approx(1000 * -60 * positive / n)


def test_the_gain_is_over_the_better_blind_policy(binary: ReportInputs) -> None:
    """The paired gain is the difference of the two values."""
    _, best, yes, no = policies(binary, VALUE, chosen_threshold(binary, VALUE))
    gain = gained(binary, VALUE)
    assert gain.rival == "always yes"
    assert gain.over.value == pytest.approx(best.worth.value - max(yes.worth.value, no.worth.value))
    assert gain.over.interval.low < gain.over.value < gain.over.interval.high


def test_the_value_curve_is_the_policies_at_each_threshold(binary: ReportInputs) -> None:
    """At 0.5 the drawn value is the one in the table."""
    figure = decisions(binary, VALUE).figures[0]
    drawn = [layer["data"]["values"] for layer in figure.spec["layer"] if layer["mark"].get("type") == "line"]
    judged = {round(row["x"], 2): row["y"] for row in drawn[1]}
    at_half = policies(binary, VALUE, 0.3)[0].worth.value
    assert judged[0.5] == pytest.approx(at_half, rel=1e-5)
