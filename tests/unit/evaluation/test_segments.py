"""Segments: which rows they hold, how they are compared, how many findings chance may make."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind

from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.evaluation.metrics import Scores
from vigie.evaluation.segments import by_segment, holm

SCHEMA = Schema(
    (
        Feature("age", Kind.NUMBER, nullable=True),
        Feature("rooms", Kind.INTEGER),
        Feature("new", Kind.BOOLEAN),
        Feature("town", Kind.CATEGORY),
    ),
    Target("price", Task.REGRESSION),
)


def table(n: int, seed: int) -> tuple[pd.DataFrame, np.random.Generator]:
    """Return seeded rows of four kinds of feature, some missing."""
    rng = np.random.default_rng(seed)
    town = rng.choice(["Lyon", "Nantes", "Brest", "Pau"], n, p=[0.5, 0.3, 0.19, 0.01]).astype(object)
    age = np.where(rng.uniform(size=n) < 0.1, np.nan, rng.uniform(0, 100, n))
    frame = pd.DataFrame({"age": age, "rooms": rng.integers(1, 4, n).astype(float), "new": rng.integers(0, 2, n) * 1.0})
    frame["town"] = town
    return frame, rng


def test_every_row_is_in_one_segment_of_each_feature() -> None:
    """Quartiles, values, levels, rare levels and missing rows cover the table once per feature."""
    frame, rng = table(4_000, 1)
    found = by_segment(SCHEMA, frame, Scores(rng.normal(size=4_000), np.zeros(4_000)))
    for feature in SCHEMA.features:
        assert sum(item.loss.n for item in found if item.feature == feature.name) == 4_000
    assert {item.level for item in found if item.feature == "new"} == {"false", "true"}
    assert {item.level for item in found if item.feature == "rooms"} == {"1", "2", "3"}
    assert sum(item.feature == "age" for item in found) == 5


def test_a_planted_weak_spot_comes_first() -> None:
    """Errors three times as large in one town put it at the top, with a p that survives correction."""
    frame, rng = table(2_000, 2)
    errors = rng.normal(size=2_000) * np.where(frame["town"] == "Brest", 3.0, 1.0)
    worst = by_segment(SCHEMA, frame, Scores(errors, np.zeros(2_000)))[0]
    assert (worst.feature, worst.level) == ("town", "Brest")
    assert worst.p < 1e-6
    inside = errors[frame["town"] == "Brest"]
    assert worst.loss.value == pytest.approx(np.sqrt(np.mean(inside**2)))


def test_p_is_welchs_after_correction() -> None:
    """A single feature with two levels gives Welch's p twice; Holm doubles it."""
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"new": np.repeat([0.0, 1.0], 100)})
    errors = rng.normal(size=200) * np.repeat([1.0, 1.25], 100)
    schema = Schema((Feature("new", Kind.BOOLEAN),), Target("price", Task.REGRESSION))
    expected = ttest_ind(errors[:100] ** 2, errors[100:] ** 2, equal_var=False).pvalue
    found = by_segment(schema, frame, Scores(errors, np.zeros(200)))
    assert [item.p for item in found] == pytest.approx([min(1.0, 2 * expected)] * 2)


def test_nothing_is_found_where_nothing_is() -> None:
    """Over forty tables without a weak spot, at most a few have a segment below five per cent."""
    alarms = 0
    for seed in range(40):
        frame, rng = table(600, 100 + seed)
        found = by_segment(SCHEMA, frame, Scores(rng.normal(size=600), np.zeros(600)))
        alarms += any(item.p < 0.05 for item in found)
    assert alarms <= 6


def test_small_segments_are_not_judged() -> None:
    """Fewer than thirty rows inside or outside are no segment."""
    frame = pd.DataFrame({"new": np.repeat([0.0, 1.0], [29, 200])})
    schema = Schema((Feature("new", Kind.BOOLEAN),), Target("price", Task.REGRESSION))
    assert by_segment(schema, frame, Scores(np.ones(229), np.zeros(229))) == ()


def test_holm_by_hand() -> None:
    """Four p-values: 4 times 0.01, 3 times 0.02, twice 0.03, then never below the one before."""
    np.testing.assert_allclose(holm(np.array([0.03, 0.01, 0.05, 0.02])), [0.06, 0.04, 0.06, 0.06])
    assert len(holm(np.array([]))) == 0
