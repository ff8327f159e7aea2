"""An earlier window that stands for the training data."""

import numpy as np
import pytest

from vigie.domain.frame import model_frame
from vigie.domain.measurement import Verdict
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.monitoring.baseline import rebased
from vigie.monitoring.counts import count_window
from vigie.monitoring.drift.catalogue import describe
from vigie.monitoring.profile import build_profile
from vigie.monitoring.thresholds import AlarmRule, judge

RULE = AlarmRule(false_alarm_budget=0.05, psi_margin=0.02, distance_margin=0.05, min_rows=100)
SCHEMA = Schema((Feature("x", Kind.NUMBER), Feature("k", Kind.CATEGORY)), Target("t", Task.REGRESSION))


def _rows(rng, n, *, shift=0.0):
    names = np.array([f"L{code:04d}" for code in range(300)], dtype=object)
    columns = {"x": rng.normal(shift, 1.0, n), "k": names[rng.integers(0, 300, n)]}
    return model_frame(SCHEMA, columns), rng.normal(size=n)


def _verdicts(profile, window):
    pairs = zip(profile.features, window.features, strict=True)
    return [judge(column, counts, RULE, alpha=1e-4).verdict for column, counts in pairs]


def test_a_window_like_its_baseline_is_calm_though_training_was_elsewhere():
    """The same shift in both: nothing changed since; the figures are those against the baseline."""
    rng = np.random.default_rng(0)
    profile = build_profile(SCHEMA, *_rows(rng, 4000))
    since = rebased(profile, count_window(profile, *_rows(rng, 3000, shift=1.0)))
    window = count_window(profile, *_rows(rng, 1000, shift=1.0))
    assert _verdicts(profile, window) == [Verdict.ALARM, Verdict.OK]
    assert _verdicts(since, window) == [Verdict.OK, Verdict.OK]
    found = {item.name: item for item in describe(since.features[0], window.features[0])}
    assert found["mean_shift"].value == pytest.approx(0.0, abs=0.1)
    assert found["mean"].reason.startswith("0.9") or found["mean"].reason.startswith("1.0")
    assert found["wasserstein"].value < 0.15


def test_an_open_vocabulary_does_not_alarm_against_a_window():
    """Cells are chosen on the training data: no row of the baseline chooses what it is compared on."""
    rng = np.random.default_rng(1)
    profile = build_profile(SCHEMA, *_rows(rng, 4000))
    since = rebased(profile, count_window(profile, *_rows(rng, 2000)))
    for _ in range(30):
        counts = count_window(profile, *_rows(rng, 500)).features[1]
        assert judge(since.features[1], counts, RULE, alpha=1e-3).verdict is Verdict.OK


def test_kinds_must_agree():
    """A profile takes counts of its own grid only."""
    profile = build_profile(SCHEMA, *_rows(np.random.default_rng(2), 200))
    counts = count_window(profile, *_rows(np.random.default_rng(3), 200))
    swapped = type(counts)(counts.n, counts.features[::-1], counts.prediction)
    with pytest.raises(TypeError):
        rebased(profile, swapped)
