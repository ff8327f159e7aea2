"""Stretches of looks against a promise: the arithmetic, what it notices, and how rarely it errs."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from vigie.domain.measurement import Interval, Measurement
from vigie.evaluation.sequences import bound
from vigie.monitoring.decline import Point, Promise, find_decline, point_of


def promise(point, *, alpha=0.05, allowed=0.0, greater=False):
    """Return a promise about a loss, or about a score."""
    return Promise("m", point, greater_is_better=greater, allowed=allowed, alpha=alpha, least=100)


def looks_of(rng, n_looks, *, n=100, mean=1.0):
    """Return looks at exponential losses, skewed as log-losses and squared errors are."""
    losses = rng.exponential(mean, (n_looks, n))
    errors = losses.std(axis=1, ddof=1) / math.sqrt(n)
    return [Point(float(value), float(error), n) for value, error in zip(losses.mean(axis=1), errors, strict=True)]


def test_one_look_worked_by_hand():
    """A budget of 0.05: half buys the promise's uncertainty, the rest times 6 / pi² the first look."""
    reference = Point(0.5, 0.01, 400)
    found = find_decline([Point(0.6, 0.02, 200)], promise(reference), before=0)
    share = 0.025 * 6 / math.pi**2
    sequence = bound(np.array([200**2 * 0.02**2]), alpha=np.array([share]), tuned_at=0.01**2 * 400 * 100)[0] / 200
    assert found.loss == pytest.approx(0.1)
    assert found.chance == pytest.approx(sequence + 1.959964 * 0.01, rel=1e-6)
    assert 3.3 < sequence / 0.02 < 4.0


def test_the_look_that_follows_others_pays_for_them():
    """The third look of a version spends a ninth of what the first one did."""
    reference, look = Point(0.5, 0.0, 1), [Point(0.6, 0.02, 200)]
    first, third = (find_decline(look, promise(reference), before=before).chance for before in (0, 2))
    assert third > 1.1 * first


def test_a_score_falls_where_a_loss_rises():
    """The sign follows the metric's direction."""
    down = find_decline([Point(0.6, 0.01, 500)], promise(Point(0.8, 0.01, 500), greater=True), before=0)
    up = find_decline([Point(0.9, 0.01, 500)], promise(Point(0.8, 0.01, 500), greater=True), before=0)
    assert (down.established, up.established) == (True, False)
    assert down.loss == pytest.approx(0.2)


def test_looks_that_almost_show_it_show_it_together():
    """A loss that no single look can establish is established over several, and the stretch is named."""
    reference = Point(1.0, 0.001, 100_000)
    looks = [Point(1.25, 0.1, 100)] * 12
    alone = find_decline(looks[:1], promise(reference), before=0)
    together = find_decline(looks, promise(reference), before=0)
    assert (alone.established, together.established) == (False, True)
    assert together.looks > 4


def test_good_years_do_not_hide_a_bad_month():
    """After 200 good looks a change is found in the stretch that follows it, not in the mean of all."""
    rng = np.random.default_rng(0)
    good, bad = looks_of(rng, 200), looks_of(rng, 12, mean=1.4)
    found = find_decline([*good, *bad], promise(Point(1.0, 0.01, 10_000)), before=0)
    assert found.established
    assert found.looks <= 14
    overall = np.mean([look.value for look in (*good, *bad)])
    assert overall < 1.05


def test_a_loss_within_the_margin_is_never_established():
    """However sure: what does not matter is no alarm."""
    look = [Point(1.015, 0.00001, 10_000_000)]
    assert not find_decline(look, promise(Point(1.0, 0.00001, 10_000_000), allowed=0.02), before=0).established
    assert find_decline(look, promise(Point(1.0, 0.00001, 10_000_000), allowed=0.01), before=0).established


def test_repeated_looks_err_within_the_budget_and_a_test_a_look_does_not():
    """40 looks at a model as good as promised, 100 times over, the promise a sample too."""
    rng = np.random.default_rng(3)
    alarms = {"sequences": 0, "a test a look": 0}
    for _ in range(100):
        sample = rng.exponential(1.0, 1_000)
        reference = Point(float(sample.mean()), float(sample.std(ddof=1)) / math.sqrt(1_000), 1_000)
        looks = looks_of(rng, 40)
        at_all = (find_decline(looks[: k + 1], promise(reference), before=0).established for k in range(40))
        alarms["sequences"] += any(at_all)
        z = [(look.value - reference.value) / math.hypot(look.error, reference.error) for look in looks]
        alarms["a test a look"] += max(z) > norm.isf(0.05)
    assert alarms["sequences"] <= 5
    assert alarms["a test a look"] > 50


def test_a_point_needs_a_value_and_an_interval():
    """A standard error comes from the longer side; without an interval there is none."""
    cut = Measurement("m", 0.99, "1", 50, interval=Interval(0.99 - 0.0392, 1.0, 0.95))
    assert point_of(cut).error == pytest.approx(0.02, rel=1e-3)
    assert point_of(None) is None
    assert point_of(Measurement("m", None, "1", 0)) is None
    assert point_of(Measurement("m", 0.5, "1", 9)) is None
