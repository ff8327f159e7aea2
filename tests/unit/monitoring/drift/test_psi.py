"""The stability index against the source chapter's formula and a table worked by hand."""

import math

import numpy as np
import pytest

from vigie.errors import InsufficientDataError
from vigie.monitoring.drift.psi import (
    Samples,
    corrected_stability_index,
    population_stability_index,
    stability_band,
    stability_interval,
)


def _of(reference, current):
    """The index of two samples, and what it rests on."""
    sizes = Samples(len(reference), int(current.sum()), int(reference.sum()))
    return population_stability_index(reference, current), sizes


def test_index_of_a_table_worked_by_hand():
    """Two bins, 1 and 3 against 3 and 1: smoothed to 2/6, 4/6 and 4/6, 2/6, hence 2/3 ln 2."""
    assert population_stability_index(np.array([1, 3]), np.array([3, 1])) == pytest.approx(2 / 3 * math.log(2))


def test_index_follows_the_source_chapter():
    """On the same edges, the value is the chapter's: counts + 1 over total + bins, sum of (p - r) ln(p / r)."""
    rng = np.random.default_rng(3)
    reference, current = rng.normal(0, 1, 5000), rng.normal(0.4, 1.2, 1000)
    edges = np.concatenate([[-np.inf], np.percentile(reference, np.arange(10, 100, 10)), [np.inf]])
    r_counts, p_counts = np.histogram(reference, edges)[0], np.histogram(current, edges)[0]
    r, p = (r_counts + 1) / (5000 + 10), (p_counts + 1) / (1000 + 10)
    expected = sum((pk - rk) * math.log(pk / rk) for pk, rk in zip(p, r, strict=True))
    assert population_stability_index(r_counts, p_counts) == pytest.approx(expected, abs=1e-12)


def test_correction_takes_off_the_bias_of_small_samples():
    """Without drift the corrected index averages zero, where the plain one averages (B - 1)(1/n + 1/m)."""
    rng = np.random.default_rng(0)
    pairs = [(rng.multinomial(2000, [0.1] * 10), rng.multinomial(400, [0.1] * 10)) for _ in range(400)]
    plain = np.mean([population_stability_index(r, c) for r, c in pairs])
    corrected = np.mean([corrected_stability_index(*_of(r, c)) for r, c in pairs])
    assert plain == pytest.approx(9 * (1 / 400 + 1 / 2000), rel=0.1)
    assert abs(corrected) < 0.003


@pytest.mark.parametrize(
    ("index", "band"), [(-0.01, "stable"), (0.099, "stable"), (0.1, "watch"), (0.2, "watch"), (0.201, "shifted")]
)
def test_bands_are_the_classical_ones(index, band):
    """Below 0.1 stable, to 0.2 watch, beyond shifted."""
    assert stability_band(index) == band


@pytest.mark.parametrize(("reference", "current"), [([0, 0], [1, 2]), ([1, 2], [0, 0])])
def test_an_empty_sample_has_no_index(reference, current):
    """An empty side is refused, not smoothed into a number."""
    with pytest.raises(InsufficientDataError):
        population_stability_index(np.array(reference), np.array(current))


def test_the_interval_covers_the_index_of_the_populations():
    """In 95 of 100 repetitions, give or take: 400 pairs of samples from two known populations."""
    rng = np.random.default_rng(5)
    r, p = np.full(10, 0.1), np.array([0.06, 0.08, 0.09, 0.1, 0.1, 0.1, 0.11, 0.11, 0.12, 0.13])
    truth = float(np.sum((p - r) * np.log(p / r)))
    covered = 0
    for _ in range(400):
        interval = stability_interval(*_of(rng.multinomial(5000, r), rng.multinomial(2000, p)), level=0.95)
        covered += interval.low <= truth <= interval.high
    assert 0.92 <= covered / 400 <= 0.985


def test_without_drift_the_interval_begins_at_zero():
    """No change at all is among what the sample allows."""
    rng = np.random.default_rng(6)
    pairs = [(rng.multinomial(5000, [0.1] * 10), rng.multinomial(500, [0.1] * 10)) for _ in range(50)]
    lows = [stability_interval(*_of(*pair), level=0.95).low for pair in pairs]
    assert sum(low == 0 for low in lows) >= 45
