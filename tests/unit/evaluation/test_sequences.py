"""Bounds that hold at every look, against an integral and against what repeated looks really do."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from vigie.evaluation.sequences import LEAST_ROWS, Sample, anytime_difference, bound

ALPHA = 0.01


def mixture(total, variance, rho):
    """Return the mean of a likelihood ratio over a half-normal effect, by numerical integration.

    It is a martingale that starts at 1, so it ever exceeds 1 / alpha with probability alpha at most (Ville).
    """
    scale = 1 / np.sqrt(rho)
    value, _ = quad(
        lambda effect: 2 * norm.pdf(effect, 0, scale) * np.exp(effect * total - effect**2 * variance / 2),
        0, 40 * scale, points=[total / (variance + rho)], limit=400,
    )  # fmt: skip
    return value


@pytest.mark.parametrize("variance", [0.1, 1.0, 30.0])
def test_at_the_bound_the_mixture_has_reached_its_limit(variance):
    """The closed form is on the safe side of the integral, and by no more than a few percent of the bound."""
    found = float(bound(np.array([variance]), alpha=np.array([ALPHA]), tuned_at=1.0)[0])
    rho = _rho()
    assert mixture(found, variance, rho) >= 0.99 / ALPHA  # rho is found by trying
    assert mixture(0.97 * found, variance, rho) < 1 / ALPHA


def _rho():
    """Solve for what makes the bound lowest at a variance of 1, by trying."""
    tried = np.geomspace(1e-3, 1, 4001)
    heights = np.sqrt(2 * (1 + tried) * np.log1p(np.sqrt((1 + tried) / tried) / (2 * ALPHA)))
    return float(tried[np.argmin(heights)])


def test_the_bound_is_the_lowest_where_it_is_tuned():
    """Tuned at 1, no other tuning is lower at 1 by more than the closed form's own slack."""
    at = {
        tuned: float(bound(np.array([1.0]), alpha=np.array([ALPHA]), tuned_at=tuned)[0])
        for tuned in (0.2, 0.5, 1.0, 2.0, 5.0)
    }
    assert at[1.0] <= 1.01 * min(at.values())
    assert min(at[0.2], at[5.0]) > at[1.0]


def ever(rng, level, half_width):
    """Return whether an interval of the difference of two equal means leaves zero out at any of 40 looks."""
    losses = rng.exponential(1.0, (2, 8_000))
    return any(half_width(losses[:, :n], level) for n in range(200, 8_001, 200))


def anytime(losses, level):
    """Leave zero out at every look's own risk."""
    found = anytime_difference(Sample(losses[0]), Sample(losses[1]), level=level)
    return not found.interval.low <= 0 <= found.interval.high


def ordinary(losses, level):
    """Leave zero out as an interval for one look does."""
    half = norm.ppf((1 + level) / 2) * np.sqrt(losses.var(axis=1, ddof=1).sum() / losses.shape[1])
    return abs(losses[0].mean() - losses[1].mean()) > half


def test_repeated_looks_err_within_the_level_and_ordinary_intervals_do_not():
    """40 looks at two equal means with a level of 90 %: the ordinary interval fails a third of the time or more."""
    rng = np.random.default_rng(8)
    wrong = {rule: sum(ever(rng, 0.9, rule) for _ in range(200)) / 200 for rule in (anytime, ordinary)}
    assert wrong[anytime] <= 0.1
    assert wrong[ordinary] > 0.3


def test_a_difference_is_found_and_has_its_sign():
    """Mean losses of 1.2 and 1.0: the second is better, by about 0.2."""
    rng = np.random.default_rng(1)
    found = anytime_difference(Sample(rng.exponential(1.2, 9_000)), Sample(rng.exponential(1.0, 4_000)), level=0.95)
    assert found.interval.low > 0
    assert found.mean == pytest.approx(0.2, abs=0.06)
    assert (found.n_first, found.n_second) == (9_000, 4_000)


def test_rows_of_one_entity_count_as_one():
    """Every row five times under one name: the interval is as wide as without the copies, up to the tuning."""
    rng = np.random.default_rng(2)
    first, second = rng.exponential(1.0, (2, 500))
    alone = anytime_difference(Sample(first), Sample(second), level=0.95)
    units = np.repeat(np.arange(500), 5)
    copied = [Sample(np.repeat(values, 5), units) for values in (first, second)]
    named = anytime_difference(*copied, level=0.95)
    blind = anytime_difference(*(Sample(sample.values) for sample in copied), level=0.95)
    width = [found.interval.high - found.interval.low for found in (alone, named, blind)]
    assert width[1] == pytest.approx(width[0], rel=0.2)
    assert width[2] < 0.6 * width[0]


def test_few_rows_give_no_interval():
    """Below the least number of rows or of entities the central limit theorem is not leant on."""
    enough, few = np.arange(float(LEAST_ROWS)), np.arange(float(LEAST_ROWS - 1))
    assert anytime_difference(Sample(enough), Sample(few), level=0.95) is None
    one = Sample(enough, np.zeros(LEAST_ROWS))
    assert anytime_difference(Sample(enough), one, level=0.95) is None
    assert anytime_difference(Sample(enough), Sample(enough), level=0.95) is not None


def test_constant_losses_have_no_width_to_speak_of():
    """Two samples without any spread: no division by zero."""
    found = anytime_difference(Sample(np.ones(200)), Sample(np.ones(200)), level=0.95)
    assert found.mean == 0
    assert found.interval.high == pytest.approx(0, abs=1e-100)
