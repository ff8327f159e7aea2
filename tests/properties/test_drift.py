"""What holds of drift for any table: nothing drifts from itself, and counts do not care how rows arrive."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, ks_2samp

from vigie.domain.frame import model_frame
from vigie.domain.measurement import Verdict
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.monitoring.columns import category_column, numeric_column
from vigie.monitoring.counts import count_window
from vigie.monitoring.drift.catalogue import describe
from vigie.monitoring.drift.chi_square import chi_square
from vigie.monitoring.drift.ks import kolmogorov_smirnov
from vigie.monitoring.drift.psi import population_stability_index
from vigie.monitoring.profile import ReferenceProfile, build_profile
from vigie.monitoring.thresholds import AlarmRule, judge

RULE = AlarmRule(false_alarm_budget=0.05, psi_margin=0.02, distance_margin=0.05, min_rows=1)
SCHEMA = Schema((Feature("x", Kind.NUMBER), Feature("k", Kind.CATEGORY)), Target("t", Task.BINARY, ("no", "yes")))

numbers = st.one_of(st.floats(), st.sampled_from([0.0, 1.0, 2.0, float("nan")]))
levels = st.one_of(st.none(), st.sampled_from("abcd"), st.text(max_size=3))
tables = st.lists(st.tuples(numbers, levels, st.floats(0, 1)), max_size=60)
counts = st.lists(st.integers(0, 200), min_size=2, max_size=12)


def _parts(rows):
    columns = {"x": [row[0] for row in rows], "k": [row[1] for row in rows]}
    return model_frame(SCHEMA, columns), np.array([row[2] for row in rows], dtype=np.float64)


def _columns(counted):
    return (*counted.features, counted.prediction)


@given(rows=tables.filter(bool))
def test_nothing_drifts_from_itself(rows):
    """Every distance of a table from itself is zero, and the rule calls it ok."""
    frame, said = _parts(rows)
    profile = build_profile(SCHEMA, frame, said)
    itself = count_window(profile, frame, said)
    for column, counted in zip((*profile.features, profile.prediction), _columns(itself), strict=True):
        values = {item.name: item.value for item in describe(column, counted)}
        if counted.known:
            assert values["psi"] == pytest.approx(0.0, abs=1e-12)
            assert values.get("ks", 0.0) == 0.0
    numeric = judge(profile.features[0], itself.features[0], RULE, alpha=0.01)
    assert numeric.verdict is Verdict.OK


@given(reference=tables, rows=tables, cuts=st.lists(st.integers(0, 60), max_size=4), turn=st.randoms())
def test_counts_add_up_in_any_split_and_order(reference, rows, cuts, turn):
    """A window cut anywhere, its parts added in any order, counts as the whole, and so is judged alike."""
    profile = build_profile(SCHEMA, *_parts(reference))
    whole = count_window(profile, *_parts(rows))
    bounds = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    parts = [count_window(profile, *_parts(rows[a:b])) for a, b in itertools.pairwise(bounds)]
    turn.shuffle(parts)
    merged = sum(parts[1:], parts[0])
    assert merged.n == whole.n
    for column, mine, its in zip(
        (*profile.features, profile.prediction), _columns(merged), _columns(whole), strict=True
    ):
        assert mine.cells.tolist() == its.cells.tolist()
        assert (mine.n, mine.missing) == (its.n, its.missing)
        assert judge(column, mine, RULE, alpha=0.01) == judge(column, its, RULE, alpha=0.01)


@given(rows=tables)
def test_a_profile_survives_its_bytes(rows):
    """Any table's profile can be written, read back, and written again to the same bytes."""
    content = build_profile(SCHEMA, *_parts(rows)).to_bytes()
    assert ReferenceProfile.from_bytes(content).to_bytes() == content


@given(reference=tables, rows=tables)
def test_a_profile_read_back_judges_alike(reference, rows):
    """Nothing that a verdict rests on is lost in the bytes."""
    profile = build_profile(SCHEMA, *_parts(reference))
    again = ReferenceProfile.from_bytes(profile.to_bytes())
    window = _parts(rows)
    for column, twin, counted in zip(
        profile.features, again.features, count_window(profile, *window).features, strict=True
    ):
        assert judge(column, counted, RULE, alpha=0.01) == judge(twin, counted, RULE, alpha=0.01)


@given(first=counts, data=st.data())
def test_index_and_chi_square_are_symmetric(first, data):
    """Neither statistic cares which sample is the reference; both are at least zero; scipy agrees on the second."""
    second = data.draw(st.lists(st.integers(0, 200), min_size=len(first), max_size=len(first)))
    a, b = np.array(first) + 1, np.array(second) + 1
    assert population_stability_index(a, b) == pytest.approx(population_stability_index(b, a), abs=1e-12)
    assert population_stability_index(a, b) >= 0
    statistic, degrees = chi_square(a, b)
    expected = chi2_contingency(np.vstack([a, b]), correction=False)
    assert (statistic, degrees) == (pytest.approx(expected.statistic, abs=1e-9), expected.dof)


@settings(max_examples=50)
@given(
    reference=st.lists(st.integers(-(10**5), 10**5).map(float), min_size=2, max_size=200),
    window=st.lists(st.integers(-(10**5), 10**5).map(float), min_size=2, max_size=200),
)
def test_distance_stays_close_under_scipys(reference, window):
    """Never over the exact distance, and never under what the reference values show: up to 256 rows all are edges.

    Whole numbers, because values that lie closer together than a cell's slack may pass for one.
    """
    column = numeric_column("x", np.array(reference))
    distance = kolmogorov_smirnov(column.counts.cells, column.count(np.array(window)).cells)
    exact = ks_2samp(reference, window, method="asymp").statistic
    steps = np.array(reference), np.array(window)
    at_values = max(abs(float((steps[0] <= x).mean() - (steps[1] <= x).mean())) for x in reference)
    assert at_values - 1e-12 <= distance <= exact + 1e-12


@given(values=st.lists(levels, max_size=80))
def test_halves_of_a_categorical_column_make_the_whole(values):
    """Even and odd rows add up to all rows, and differ by one at most."""
    column = category_column("k", np.array([*values, None], dtype=object)[:-1])
    assert column.counts.n == len(values)
    assert 0 <= column.even.n - column.odd.n <= 1
