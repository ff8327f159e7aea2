"""How much a column wanders by itself."""

import numpy as np
import pytest

from vigie.monitoring.columns import category_column, numeric_column
from vigie.monitoring.wander import Margin, Wander, wander_of


def _of(values):
    values = np.asarray(values)
    make = numeric_column if values.dtype == np.float64 else category_column
    return wander_of(make("x", values), values)


def _levels(codes):
    return np.array([f"L{code}" for code in codes], dtype=object)


def test_lengths_double_as_long_as_there_are_six_blocks():
    """5,000 rows: six blocks of 800, not of 1,600."""
    assert _of(np.random.default_rng(0).normal(size=5000)).lengths == (100, 200, 400, 800)


def test_independent_rows_wander_little():
    """Less than the global margins where blocks are long enough for chance to average out."""
    wander = _of(np.random.default_rng(1).normal(size=40_000))
    assert wander.at(6_000).psi < 0.02
    assert wander.at(6_000).distance < 0.05
    assert not wander.at(6_000).is_calendar


def test_a_block_against_the_rest_worked_by_hand():
    """Six blocks of 100, the last one all B, the others all A.

    The last one has nothing in common with the rest: its distance is 1, less what a sample is away on average. Any
    other against 400 A and 100 B: 83.3 rows tell as much, X2 is 83.3 * 0.2**2 * (6 / 5 + 6) = 24, at one degree.
    """
    wander = _of(_levels(np.repeat([0, 0, 0, 0, 0, 1], 100)))
    effective = 100 * 500 / 600
    assert wander.lengths == (100,)
    assert wander.margins[0].distance == pytest.approx(1 - (1 / (2 * effective)) ** 0.5)
    assert wander.margins[0].psi == pytest.approx((24 - 1) / effective)


def test_a_column_that_tells_the_time_is_suggested():
    """Months in order: every block is another value."""
    months = np.repeat(np.arange(12.0), 500)
    assert _of(months).at(500).is_calendar


def test_nulls_that_come_in_runs_wander():
    """A sensor that was off for a while: its nulls are rows like others."""
    values = np.random.default_rng(2).normal(size=6000)
    values[:500] = np.nan
    assert _of(values).at(400).distance > 0.8


def test_windows_take_the_longest_blocks_that_are_not_longer():
    """Between two lengths the shorter one, which wanders more; beyond the longest, the longest."""
    wander = Wander((100, 200), (Margin(0.5, 0.4), Margin(0.3, 0.2)))
    assert [wander.at(n).psi for n in (50, 100, 199, 200, 9999)] == [0.5, 0.5, 0.5, 0.3, 0.3]


def test_a_short_reference_has_no_blocks():
    """599 rows are five blocks of 100 and a rest."""
    assert _of(np.arange(599.0)).lengths == ()


def test_it_survives_its_bytes():
    """What is written is read."""
    wander = _of(np.random.default_rng(3).normal(size=2000))
    assert Wander.from_dict(wander.to_dict()) == wander


@pytest.mark.parametrize(
    "wrong",
    [
        {"lengths": [200, 100]},
        {"lengths": [0, 100]},
        {"lengths": [100]},
        {"psi": [float("nan"), 0.0]},
        {"psi": [-1.0, 0.0]},
        {"distance": [2.0, 0.0]},
        {"psi": ["wide", 0.0]},
        {"distance": None},
    ],
)
def test_garbage_is_refused(wrong):
    """One kind of error, which the profile's reader translates."""
    with pytest.raises((ValueError, TypeError)):
        Wander.from_dict({"lengths": [100, 200], "psi": [0.1, 0.0], "distance": [0.1, 0.0]} | wrong)
