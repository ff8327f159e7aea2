"""How many rows it takes, against simulation."""

import numpy as np
import pytest

from vigie.monitoring.columns import numeric_column
from vigie.monitoring.power import POWER, HomogeneityTest, StrictTest, rows_needed
from vigie.monitoring.thresholds import AlarmRule, judge

M = 5000


def _share_of_alarms(n, rule, *, alpha, runs=150):
    rng = np.random.default_rng(n)
    column = numeric_column("x", rng.normal(size=M))
    judged = (judge(column, column.count(rng.normal(0.5, 1.0, n)), rule, alpha=alpha) for _ in range(runs))
    return np.mean([judgement.verdict.value == "alarm" for judgement in judged])


def test_at_the_number_of_rows_that_is_needed_the_power_is_what_is_said():
    """Eighty in a hundred, within the error of 150 runs; at half of the rows it is far less."""
    rule, alpha = AlarmRule(0.05, 0.02, 0.05, 1), 1e-4
    n = rows_needed(HomogeneityTest(alpha / 2, 0.02), M)
    assert _share_of_alarms(n, rule, alpha=alpha) == pytest.approx(POWER, abs=0.12)
    assert _share_of_alarms(n // 2, rule, alpha=alpha) < 0.45


def test_the_strict_rule_sees_half_a_deviation_at_what_it_asks_for():
    """At least four times in five."""
    rule, alpha = AlarmRule(0.05, 0.02, 0.05, 1, strict=True), 1e-4
    n = rows_needed(StrictTest(alpha / 2, 0.05 / 2, 0.05), M)
    assert _share_of_alarms(n, rule, alpha=alpha) >= POWER - 0.07


def test_later_looks_need_more_rows():
    """A smaller part of the budget asks for more evidence."""
    needed = [rows_needed(HomogeneityTest(level, 0.02), M) for level in (1e-2, 1e-4, 1e-6)]
    assert needed == sorted(set(needed))


def test_some_references_are_never_enough():
    """Fifty rows of reference, or a margin wider than half a deviation: no window helps."""
    assert rows_needed(HomogeneityTest(1e-4, 0.02), 50) is None
    assert rows_needed(HomogeneityTest(1e-4, 0.5), M) is None
