"""Profiles of older formats still open, and judge as they did."""

import json
from pathlib import Path

import numpy as np
import pytest

from vigie.domain.measurement import Verdict
from vigie.errors import BundleError, BundleFormatError
from vigie.monitoring.drift.catalogue import describe
from vigie.monitoring.profile import ReferenceProfile
from vigie.monitoring.thresholds import AlarmRule, judge

FIRST = Path(__file__).parents[2] / "golden" / "profile_1.json"
RULE = AlarmRule(false_alarm_budget=0.05, psi_margin=0.02, distance_margin=0.05, min_rows=100)


def test_a_profile_of_format_1_judges():
    """It was written before sums were kept cell by cell: everything but the Wasserstein distance has a value."""
    profile = ReferenceProfile.from_bytes(FIRST.read_bytes())
    column = profile.features[0]
    moved = column.count(np.random.default_rng(0).normal(80, 20, 400))
    assert (profile.rows, profile.wander, profile.importance) == (300, None, None)
    assert judge(column, moved, RULE, alpha=1e-3).verdict is Verdict.ALARM
    assert [item.name for item in describe(column, moved) if item.value is None] == ["wasserstein"]


def test_a_lifted_profile_is_written_in_the_present_format():
    """And read again, with nothing made up for what it never held."""
    content = ReferenceProfile.from_bytes(FIRST.read_bytes()).to_bytes()
    assert json.loads(content)["format"] == 2
    assert ReferenceProfile.from_bytes(content).to_bytes() == content


@pytest.mark.parametrize("version", [0, 3, True, "1", None])
def test_another_format_is_refused_by_name(version):
    """A later layout asks for the Vigie that wrote it."""
    data = json.loads(FIRST.read_bytes()) | {"format": version}
    with pytest.raises(BundleFormatError):
        ReferenceProfile.from_bytes(json.dumps(data).encode())


@pytest.mark.parametrize("wrong", [{"wander": []}, {"importance": [1.0]}, {"importance": [2.0, -1.0]}, {"wander": 3}])
def test_parts_that_do_not_fit_are_refused(wrong):
    """As many margins as columns, as many importances as features, and shares only."""
    data = json.loads(ReferenceProfile.from_bytes(FIRST.read_bytes()).to_bytes()) | wrong
    with pytest.raises(BundleError):
        ReferenceProfile.from_bytes(json.dumps(data).encode())
