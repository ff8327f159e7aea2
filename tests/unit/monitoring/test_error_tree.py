"""DLE: expected errors beside those that came out, and trees that are none."""

import json

import numpy as np
import pandas as pd
import pytest

from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.evaluation.metrics import METRICS, Scores
from vigie.monitoring.error_tree import ErrorTree
from vigie.monitoring.expected import Answers

SCHEMA = Schema(
    (Feature("driver", Kind.NUMBER), Feature("town", Kind.CATEGORY, categories=("a", "b"))),
    Target("y", Task.REGRESSION),
)


def world(seed, n, driver=1.0, gaps=0.0):
    """Return a frame and a model's scores whose noise grows with the column ``driver``, itself scaled by ``driver``."""
    rng = np.random.default_rng(seed)
    drives = driver * rng.uniform(0.2, 2.0, n)
    truth = rng.normal(0, 3, n)
    scores = Scores(truth + drives * rng.normal(0, 1, n), truth)
    drives = np.where(rng.random(n) < gaps, np.nan, drives)
    return pd.DataFrame({"driver": drives, "town": np.full(n, "a", dtype=object)}), scores


def expected(tree, frame, scores):
    """Return what the tree expects of rows whose outcomes it does not see."""
    return tree.expect(Answers(scores.predicted), frame)


@pytest.mark.parametrize("driver", [0.5, 0.75, 1.0])
def test_the_error_follows_what_drives_it(driver):
    """Rows with less of what makes noise have smaller errors, and the estimate says so within a few percent."""
    tree = ErrorTree.fit(SCHEMA, *world(1, 8_000))
    frame, scores = world(2, 4_000, driver)
    found = expected(tree, frame, scores)
    for name in ("mae", "rmse"):
        assert found[name].value == pytest.approx(METRICS[name].compute(scores), rel=0.06)


def test_beyond_the_reference_the_estimate_stays_behind():
    """A tree cannot say more than its last leaf: three times the driver is underestimated (a limit that is told)."""
    tree = ErrorTree.fit(SCHEMA, *world(1, 8_000))
    frame, scores = world(2, 4_000, 3.0)
    assert expected(tree, frame, scores)["mae"].value < 0.8 * METRICS["mae"].compute(scores)


def test_the_error_of_the_estimate_covers_what_comes_out():
    """Over 100 references and windows, 1.96 errors hold the realised MAE and RMSE about 95 times in 100."""
    inside = []
    for seed in range(100):
        tree = ErrorTree.fit(SCHEMA, *world(2 * seed, 800))
        frame, scores = world(2 * seed + 1, 400)
        for name, item in expected(tree, frame, scores).items():
            inside.append(abs(METRICS[name].compute(scores) - item.value) < 1.96 * item.error)
    assert 0.88 <= np.mean(inside) <= 0.99


def test_missing_values_have_a_branch():
    """A window with gaps is estimated, and written and read again it says the same."""
    tree = ErrorTree.fit(SCHEMA, *world(1, 4_000, gaps=0.2))
    frame, scores = world(2, 2_000, gaps=1.0)
    again = ErrorTree.from_dict(tree.to_dict())
    assert expected(again, frame, scores) == expected(tree, frame, scores)
    assert np.isfinite(expected(tree, frame, scores)["mae"].value)


def test_a_perfect_model_has_no_error():
    """No division by a root of zero."""
    frame, scores = world(1, 300)
    tree = ErrorTree.fit(SCHEMA, frame, Scores(scores.y, scores.y))
    found = expected(tree, frame, Scores(scores.y, scores.y))
    assert (found["mae"].value, found["rmse"].value, found["rmse"].error) == (0, 0, 0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("left", 0),
        ("right", 10_000),
        ("column", 7),
        ("column", -2),
        ("threshold", float("nan")),
        ("rows", 0),
    ],
)
def test_what_is_no_tree_is_refused(name, value):
    """A branch that leads back would be walked for ever; one that leads nowhere ends in a crash."""
    data = ErrorTree.fit(SCHEMA, *world(1, 2_000)).to_dict()
    data[name][0] = value
    with pytest.raises(ValueError, match="error tree"):
        ErrorTree.from_dict(data)
    with pytest.raises(ValueError, match="error tree"):
        ErrorTree.from_dict({**data, name: []})


def test_many_numbers_beyond_float32_are_split_in_silence():
    """scikit-learn adds all numbers up in 32 bits, which overflows, or leaves infinity minus infinity."""
    frame, scores = world(1, 800)
    frame["driver"] = np.repeat([1e308, -1e308], 400)
    tree = ErrorTree.fit(SCHEMA, frame, scores)
    assert all(np.isfinite(item.value) for item in expected(tree, frame, scores).values())


def test_numbers_beyond_float32_are_at_its_edge():
    """Features and predictions that scikit-learn's trees refuse, infinite ones included, neither stop nor spoil it."""
    frame, scores = world(1, 800)
    frame.loc[:3, "driver"] = [1e39, -1e300, np.inf, -np.inf]
    scores.predicted[4:7] = [1e60, -1e200, np.inf]
    tree = ErrorTree.fit(SCHEMA, frame, scores)
    again = ErrorTree.from_dict(json.loads(json.dumps(tree.to_dict(), allow_nan=False)))
    assert all(np.isfinite(item.value) for item in expected(again, frame, scores).values())
