"""Reports of tables at the edge: few rows, nothing to learn, nothing left to explain, rows in order of time."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from sklearn.base import clone

from vigie.evaluation.value import DecisionValue
from vigie.training.blend import blended_scores
from vigie.training.dataset import DataSpec, build_dataset
from vigie.training.report import Effort, Provenance, ReportInputs, render
from vigie.training.report.curves import bias_and_variance
from vigie.training.report.refits import fewer, preprocessed, refitted, scores_at, some_folds
from vigie.training.search import TrainingSpec, train_candidates
from vigie.training.split import split

EFFORT = Effort(rows=100, folds=2, steps=2, shuffles=2, judged_rows=50)
VALUE = DecisionValue(1.0, -5.0, -1.0, 0.0, "EUR")


def inputs(columns: dict[str, object], name: str, metric: str, *, time: str | None = None) -> ReportInputs:
    """Train one candidate on a table whose target is y."""
    spec = DataSpec("y", None, None, None, time, (), 0.2, 1, "auto")
    dataset = build_dataset(pa.table(columns), spec, None)
    parts = split(dataset, spec)
    board = train_candidates(
        dataset, parts, TrainingSpec((name,), metric, 3, 1, None), progress=lambda *_: None, seconds=lambda: 0.0
    )
    value = VALUE if metric == "roc_auc" else None
    told = Provenance(datetime(2026, 1, 1, tzinfo=UTC), "a test", None, {}, {})
    return ReportInputs("m", dataset, parts, board, 3, 1, value, None, told, EFFORT)


@pytest.fixture
def rng() -> np.random.Generator:
    """Return the same numbers for every test."""
    return np.random.default_rng(0)


def test_twenty_five_rows_are_enough_for_a_report(rng: np.random.Generator) -> None:
    """Five held-out rows give wide intervals and no segment, not a failure."""
    x = rng.normal(size=25)
    page = render(inputs({"x": x, "y": 2 * x + rng.normal(size=25)}, "lasso", "rmse"))
    assert "5 held-out rows" in page
    assert "nothing is compared" in page


def test_a_model_without_error_has_residuals_of_nothing() -> None:
    """A truth that is a straight line leaves residuals at the rounding of numbers."""
    x = np.linspace(-1, 1, 60)
    assert "R²" in render(inputs({"x": x, "z": x**2, "y": 2 * x + 1}, "ols", "rmse"))


def test_noise_is_called_noise(rng: np.random.Generator) -> None:
    """Where nothing can be learnt the page warns, and advises what costs least: never to say yes."""
    page = render(inputs({"x": rng.normal(size=120), "y": rng.integers(0, 2, 120)}, "logistic", "roc_auc"))
    assert "does not clearly beat the dummy" in page
    assert "never yes" in page


def test_perfect_classes_have_a_curve(rng: np.random.Generator) -> None:
    """Classes that never overlap give no division by zero."""
    x = rng.normal(size=200)
    assert "ROC curve" in render(inputs({"x": x, "y": (x > 0).astype(int)}, "logistic", "roc_auc"))


def test_in_order_of_time_the_latest_rows_are_learnt_from(rng: np.random.Generator) -> None:
    """A smaller training set is the rows right before those that judge, as it would be in life."""
    when = np.datetime64("2026-01-01", "us") + np.arange(300) * np.timedelta64(1, "h")
    x = rng.normal(size=300)
    found = inputs({"when": pa.array(when), "x": x, "y": x + rng.normal(size=300)}, "ols", "rmse", time="when")
    for fit, check in some_folds(found):
        part = fewer(found, fit, 20)
        assert part.max() < check.min()
        assert set(part) == set(np.sort(fit)[-20:])
    assert "from then on held out" in render(found)


def test_refits_learn_means_of_levels_without_a_rows_own_outcome(rng: np.random.Generator) -> None:
    """What a refit learns differs from what it is asked, in the column of means and in no other."""
    columns = {"x": rng.normal(size=240), "level": [f"l{i}" for i in range(30)] * 8}
    found = inputs(columns | {"y": rng.choice(["no", "yes"], 240).tolist()}, "patient_boosting", "roc_auc")
    fit, check = some_folds(found)[0]
    learnt, known, asked = preprocessed(found, fit, check)
    assert np.array_equal(learnt[:, 0], known[:, 0])
    assert np.isclose(learnt[:, 1], known[:, 1]).mean() < 0.5  # a level whose rows all agree has one mean only
    assert np.array_equal(refitted(found, fit)[:-1].transform(found.dataset.frame.iloc[check]), asked)


def test_a_blend_is_refitted_part_by_part(rng: np.random.Generator) -> None:
    """On fewer rows, too, it is the mean of its parts' scores; both of its curves are drawn."""
    columns = {"x": rng.normal(size=240), "level": [f"l{i}" for i in range(30)] * 8}
    found = inputs(columns | {"y": rng.choice(["no", "yes"], 240).tolist()}, "blended_boosting", "roc_auc")
    blend = next(entry for entry in found.leaderboard.entries if entry.name == "blended_boosting")
    found = replace(found, leaderboard=replace(found.leaderboard, winner=blend))
    fit, check = some_folds(found)[0]
    frame, y = found.dataset.frame.iloc[fit], found.dataset.y[fit]
    apart = [scores_at(found, clone(part).fit(frame, y), check) for part in blend.parts]
    assert scores_at(found, refitted(found, fit), check).proba == pytest.approx(blended_scores(apart).proba, rel=1e-9)
    assert [figure.name for figure in bias_and_variance(found).figures] == ["learning_curve", "validation_curve"]
