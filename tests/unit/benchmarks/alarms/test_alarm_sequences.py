"""The short cut of the alarm benchmark never hides an alarm, and its tables are counted as Vigie counts them."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.alarms.benchmark import RULE, lower, upper
from benchmarks.alarms.sequences import alarms_by_scale, any_alarm, counts_of, twice
from benchmarks.alarms.simulated import draw_category, draw_number
from benchmarks.alarms.tables import RealColumn, columns_of
from vigie.domain.measurement import Verdict
from vigie.monitoring.columns import category_column, numeric_column
from vigie.monitoring.thresholds import judge, spend


@pytest.mark.parametrize("shift", [0.0, 0.3, 0.6])
@pytest.mark.parametrize("n", [100, 400])
def test_the_short_cut_says_what_the_rule_says_of_every_window(shift: float, n: int) -> None:
    """Judged one by one, the same windows alarm."""
    rng = np.random.default_rng(n)
    for drawn in (
        draw_number(rng, m=2_000, n=n, n_windows=24, shift=shift),
        draw_category(rng, levels=50, m=2_000, n=n, n_windows=24),
    ):
        single = alarms_by_scale(drawn.column, drawn.windows, RULE, n_columns=5)[0]
        one_by_one = [
            judge(
                drawn.column, counts_of(drawn.column, cells), RULE, alpha=spend(0.05, look=look, scales=RULE.scales) / 5
            ).verdict
            for look, cells in enumerate(drawn.windows, start=1)
        ]
        assert single.tolist() == [verdict is Verdict.ALARM for verdict in one_by_one]


def test_blocks_double() -> None:
    """Seven windows are three pairs and one four."""
    drawn = draw_number(np.random.default_rng(0), m=1_000, n=200, n_windows=7, shift=0.0)
    assert [len(scale) for scale in alarms_by_scale(drawn.column, drawn.windows, RULE, n_columns=5)] == [7, 3, 1]


def test_two_in_a_row_are_neighbours() -> None:
    """At one scale, one after the other."""
    assert not twice([np.array([True, False, True]), np.array([True])])
    assert twice([np.array([False, True, True])])
    assert any_alarm([np.array([False]), np.array([True])])


def test_real_columns_are_counted_as_rows_are() -> None:
    """The same cells as from the values themselves, for numbers with gaps and for levels unseen in the reference."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"x": rng.normal(size=400).round(1), "k": rng.choice(list("abcdefg"), 400)})
    frame.loc[::17, "x"], frame.loc[::13, "k"] = np.nan, None
    own, window = np.arange(0, 20), np.arange(20, 400)
    for column in columns_of(frame):
        values = frame[column.name].to_numpy(dtype=np.float64 if column.levels is None else object)
        make = numeric_column if column.levels is None else category_column
        expected = make(column.name, values[own])
        reference = column.summarised(own)
        counted = counts_of(reference, column.counted(reference, [window])[0])
        assert reference.counts.cells.tolist() == expected.counts.cells.tolist()
        assert counted.cells.tolist() == expected.count(values[window]).cells.tolist()
        assert counted.missing == expected.count(values[window]).missing


def test_four_thousand_levels_never_alarm_without_drift() -> None:
    """Equally likely, 10,000 rows of reference, 52 windows of 1,000 and the blocks of them, twenty seeds."""
    names = tuple(f"L{code:04d}" for code in range(4_000))
    for seed in range(20):
        rng = np.random.default_rng(seed)
        column = RealColumn("k", rng.integers(0, 4_000, 62_000), names)
        reference = column.summarised(np.arange(10_000))
        windows = column.counted(reference, np.arange(10_000, 62_000).reshape(52, 1_000))
        assert not any_alarm(alarms_by_scale(reference, windows, RULE, n_columns=5))


def test_bounds_are_clopper_and_pearsons() -> None:
    """No alarm in n: 1 - 0.05 ** (1 / n)."""
    assert upper(0, 60) == pytest.approx(1 - 0.05 ** (1 / 60))
    assert lower(60, 60) == pytest.approx(0.05 ** (1 / 60))
    assert (upper(3, 3), lower(0, 3)) == (1.0, 0.0)
