"""Bounds that hold for any sample, tried on samples."""

import math

import numpy as np
import pytest

from vigie.monitoring.columns import category_column, numeric_column
from vigie.monitoring.finite_sample import distribution_noise, variation_noise
from vigie.monitoring.thresholds import AlarmRule, judge

STRICT = AlarmRule(false_alarm_budget=0.05, psi_margin=0.02, distance_margin=0.05, min_rows=1, strict=True)


def test_distribution_noise_worked_by_hand():
    """Massart's constant: sqrt(ln(2 / 0.1) / 200)."""
    assert distribution_noise(100, 0.1) == pytest.approx(math.sqrt(math.log(20) / 200))


def test_variation_noise_covers_samples_of_a_table():
    """Of 400 samples of ten rows from seven levels, fewer than one in ten lie beyond the bound at 10 %."""
    rng = np.random.default_rng(0)
    shares = np.array([0.4, 0.2, 0.1, 0.1, 0.1, 0.05, 0.05])
    samples = rng.multinomial(10, shares, size=400) / 10
    beyond = np.abs(samples - shares).sum(axis=1) / 2 > variation_noise(10, 0.1, groups=7)
    assert beyond.mean() <= 0.1


def test_the_strict_limits_are_those_of_the_theorem():
    """A number: margin and both noises; a category: the other half of its reference, chosen on the first."""
    number = numeric_column("x", np.arange(1000.0))
    (test,) = judge(number, number.count(np.arange(400.0)), STRICT, alpha=0.01, n_columns=5).evidence
    assert test.alarm_over == pytest.approx(0.05 + distribution_noise(400, 0.005) + distribution_noise(1000, 0.005))
    levels = np.array(["a", "b"], dtype=object)
    category = category_column("k", levels[np.random.default_rng(1).integers(0, 2, 1000)])
    (test,) = judge(category, category.count(levels[np.arange(400) % 2]), STRICT, alpha=0.01, n_columns=5).evidence
    both = variation_noise(400, 0.005, groups=3) + variation_noise(500, 0.005, groups=3)
    assert (test.statistic, test.alarm_over) == ("total_variation", pytest.approx(0.05 + both))
