"""Bars drawn from counts are the bars of the rows themselves."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from vigie.domain.measurement import Verdict
from vigie.monitoring.columns import category_column, numeric_column
from vigie.monitoring.report.histogram import LEVELS, binned, histogram
from vigie.monitoring.window_report import FeatureReport

RNG = np.random.default_rng(11)
NORMAL, SHIFTED = RNG.normal(10, 3, 4_000), RNG.normal(12, 3, 900)
TOLD = FeatureReport("f", "numeric", Verdict.OK, "Fine.", (), (), ())


@pytest.mark.parametrize("values", [NORMAL, RNG.exponential(5, 3_000), RNG.lognormal(0, 2, 3_000)])
def test_bars_of_a_continuous_column_are_exact(values):
    """Numpy counts the same rows between the same ends, the outermost bars reaching to infinity."""
    column, window = numeric_column("f", values), np.concatenate([SHIFTED, [-1e9, 1e9]])
    found = binned(column, column.count(window))
    ends = np.concatenate([[-np.inf], found.edges[1:-1], [np.inf]])
    for shares, rows in ((found.reference, values), (found.current, window)):
        expected = np.array([((rows > low) & (rows <= high)).mean() for low, high in pairwise(ends)])
        assert shares == pytest.approx(expected)
    assert (np.diff(found.edges) > 0).all()


def test_a_column_of_few_values_gets_a_bar_around_each():
    """Shares of whole numbers, those beyond training's in a bar of their own."""
    values = RNG.integers(0, 6, 2_000).astype(float)
    column, window = numeric_column("f", values), np.array([0.0, 0.0, 3.0, 9.0])
    found = binned(column, column.count(window))
    assert found.values
    assert found.edges == pytest.approx([-0.5, 0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.0], abs=1e-4)
    assert found.reference[:-1] == pytest.approx(np.bincount(values.astype(int)) / 2_000)
    assert found.current.tolist() == [0.5, 0, 0, 0.25, 0, 0, 0.25]


@pytest.mark.parametrize(
    "values",
    [[], [np.nan] * 5, [3.0] * 50, [np.inf, -np.inf, 1.0], [1e308, -1e308, 0.0], [5e-324, 0.0], [0.0] * 99 + [1e300]],
    ids=["empty", "missing", "constant", "infinite", "huge", "tiny", "spike"],
)
@pytest.mark.parametrize("window", [[], [3.0], [np.nan], [-np.inf, np.inf, 1e308]], ids=["none", "one", "nan", "wild"])
def test_hostile_columns_are_drawn(values, window):
    """Whatever the rows hold there is a figure, and no number in it that JSON cannot say."""
    column = numeric_column("f", np.asarray(values, dtype=float))
    drawn = histogram("f", TOLD, column, column.count(np.asarray(window, dtype=float)), beside="training")
    assert "NaN" not in str(drawn.spec)
    assert "inf" not in str(drawn.spec)


def test_rare_levels_share_a_line_and_shares_add_up():
    """Twelve levels, all others, and the missing."""
    levels = RNG.choice([f"level {k:02d}" for k in range(40)], 3_000).astype(object)
    column, window = category_column("f", levels), np.array(["new", None, "level 01"], dtype=object)
    drawn = histogram("f", TOLD, column, column.count(window), beside="training")
    then, now = (layer["data"]["values"] for layer in drawn.spec["layer"])
    assert [row["y"] for row in then][LEVELS:] == ["all others", "missing"]
    assert sum(row["high"] for row in then) == pytest.approx(1, abs=1e-4)
    assert sum(row["x"] for row in now) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("values", "window", "limits", "low", "high"),
    [
        (RNG.beta(0.4, 0.4, 4_000), RNG.beta(0.4, 0.4, 900), (0.0, 1.0), 0, 1),  # probabilities, many near 0 and 1
        (RNG.uniform(0.2, 0.9, 4_000), np.array([0.001, 0.999]), (0.0, 1.0), 0, 1),  # the window goes further
        (RNG.choice([0.02, 0.5, 0.98], 900), np.array([0.5, 0.999]), (0.0, 1.0), 0, 1),  # of a single tree
        (RNG.exponential(5, 4_000), RNG.exponential(4, 900), None, 0, np.inf),  # amounts
        (RNG.exponential(5, 4_000) + 0.5, np.array([0.1, 3.0]), None, 0, np.inf),  # and some under training's
        (np.append(RNG.exponential(5, 4_000), np.zeros(2_000)), np.zeros(9), None, 0, np.inf),  # many without one
    ],
    ids=["probabilities", "further", "tree", "amounts", "smaller", "zeros"],
)
def test_no_bar_stands_where_no_value_can_be(values, window, limits, low, high):
    """No probability above 1, no amount below 0, on the axis either; and no row is lost for it."""
    column = numeric_column("f", values)
    counts = column.count(window)
    found = binned(column, counts, limits)
    assert low <= found.edges[0] < found.edges[-1] <= high
    assert (np.diff(found.edges) > 0).all()
    assert [found.reference.sum(), found.current.sum()] == pytest.approx([1, 1])
    drawn = histogram("f", TOLD, column, counts, beside="training", limits=limits)
    for layer in drawn.spec["layer"]:
        domain = layer["encoding"]["x"]["scale"]["domain"]
        assert low <= domain[0] < domain[1] <= high


def test_an_outermost_bar_is_not_a_needle():
    """Half of the rows are 0: their bar is at least half as wide as the others, which are seen beside it."""
    column = numeric_column("f", np.append(RNG.exponential(5, 4_000), np.zeros(4_000)))
    widths = np.diff(binned(column, column.count(np.zeros(9))).edges)
    assert widths[0] >= 0.5 * np.median(widths)


def test_the_legend_names_what_the_window_is_beside():
    """Grey bars are not always training's."""
    column = numeric_column("f", NORMAL)
    drawn = histogram("f", TOLD, column, column.count(SHIFTED), beside="the last accepted window")
    assert drawn.caption.startswith("Grey: the last accepted window, n = 4,000. Blue: window, n = 900.")
    assert "training" not in drawn.alt + drawn.caption.replace("training's range", "")


def test_a_bar_does_not_end_before_the_values_of_a_later_reference():
    """Where an accepted window stands for training, its own rows may lie beyond training's range."""
    values = RNG.uniform(0, 1, 4_000)
    column = numeric_column("f", values)
    later, inside = replace(column, counts=column.count(np.append(values, np.full(500, 1.5)))), column.count(values)
    assert binned(column, inside).edges[-1] <= 1
    assert binned(later, inside).edges[-1] > 1
