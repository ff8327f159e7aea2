"""One column over its blocks: margins of its own, calendar, confirmation, and what cannot be judged."""

from dataclasses import replace

import numpy as np
import pytest

from vigie.domain.measurement import Verdict
from vigie.monitoring.blocks import blocks_ending
from vigie.monitoring.columns import numeric_column
from vigie.monitoring.columnwise import Judged, judge_column
from vigie.monitoring.counts import WindowCounts
from vigie.monitoring.thresholds import AlarmRule
from vigie.monitoring.wander import Margin, Wander, wander_of

RULE = AlarmRule(false_alarm_budget=0.05, psi_margin=0.02, distance_margin=0.05, min_rows=100)
N_COLUMNS = 25


class Watched:
    """A column and the windows that were judged before."""

    def __init__(self, reference, wander=None):
        self.judged = Judged(numeric_column("x", reference), 0, wander, len(reference))
        self.windows = []

    def see(self, values, rule=RULE):
        """Judge the next window."""
        counts = self.judged.column.count(np.asarray(values))
        current = WindowCounts(counts.n, (), counts)
        blocks = blocks_ending(current, self.windows, look=len(self.windows) + 1)
        self.windows.append(current)
        return judge_column(self.judged, blocks, rule, n_columns=N_COLUMNS)


@pytest.fixture
def rng():
    """Return a seeded generator."""
    return np.random.default_rng(11)


def test_the_first_alarm_is_not_confirmed_and_the_second_is(rng):
    """Mail and retraining wait for two in a row."""
    watched = Watched(rng.normal(size=5000))
    found = [watched.see(rng.normal(1.0, 1.0, 500)) for _ in range(2)]
    assert [(one.verdict, one.confirmed) for one in found] == [(Verdict.ALARM, False), (Verdict.ALARM, True)]


def test_a_calm_window_between_two_alarms_confirms_nothing(rng):
    """Two alarms are in a row only where nothing lies between."""
    watched = Watched(rng.normal(size=5000))
    found = [watched.see(rng.normal(shift, 1.0, 500)) for shift in (3.0, 0.0, 3.0)]
    assert [one.confirmed for one in found] == [False, False, False]


def test_one_alarm_is_enough_where_the_rule_says_so(rng):
    """Who would rather be told too early."""
    watched = Watched(rng.normal(size=5000))
    assert watched.see(rng.normal(1.0, 1.0, 500), replace(RULE, in_a_row=1)).confirmed


def test_a_small_drift_is_found_over_merged_windows(rng):
    """A quarter of a deviation: no window of 100 shows it, a block of at most 32 does, and says over how many."""
    watched = Watched(rng.normal(size=20_000))
    found = [watched.see(rng.normal(0.25, 1.0, 100)) for _ in range(32)]
    alarms = [one for one in found if one.verdict is Verdict.ALARM]
    assert alarms
    assert all("Changed: over " in one.reason and " windows, " in one.reason for one in alarms)
    assert {test.windows for test in found[15].evidence} == {1, 2, 4, 8, 16}


def test_counts_merged_in_any_order_give_the_same_verdict(rng):
    """Windows before this one, shuffled within its block, change nothing about the block."""
    watched = Watched(rng.normal(size=5000))
    windows = [WindowCounts(300, (), watched.judged.column.count(rng.normal(0.3, 1.0, 300))) for _ in range(4)]
    verdicts = set()
    for order in ((0, 1, 2, 3), (2, 0, 1, 3), (1, 2, 0, 3)):
        *past, current = (windows[k] for k in order)
        four = blocks_ending(current, past, look=4)[2:]
        verdicts.add(judge_column(watched.judged, four, RULE, n_columns=N_COLUMNS).evidence)
    assert len(verdicts) == 1


def test_too_few_rows_say_how_many_would_do(rng):
    """A window that could not have shown half a deviation is not called ok."""
    found = Watched(rng.normal(size=5000)).see(rng.normal(size=120))
    assert found.verdict is Verdict.UNKNOWN
    assert found.reason.startswith("Not enough data yet: 120 rows in this window; from 188 ")
    assert found.reason.endswith("on, half a standard deviation would be seen four times in five.")


def test_a_large_change_alarms_however_few_the_rows(rng):
    """The number of rows that is needed speaks of half a deviation, not of two."""
    assert Watched(rng.normal(size=5000)).see(rng.normal(2.0, 1.0, 120)).verdict is Verdict.ALARM


def test_merged_windows_can_be_enough_together(rng):
    """Four windows of 150 are one of 600: calm is then an answer."""
    watched = Watched(rng.normal(size=5000))
    assert [watched.see(rng.normal(size=150)).verdict for _ in range(4)][-1] is Verdict.OK


def test_a_reference_of_five_windows_cannot_judge(rng):
    """J = 5: nobody knows how much the column wanders by itself, so the rule is silent and says so."""
    reference = rng.normal(size=2999)
    watched = Watched(reference, wander_of(numeric_column("x", reference), reference))
    found = watched.see(rng.normal(3.0, 1.0, 500))
    assert (found.verdict, found.evidence) == (Verdict.UNKNOWN, ())
    assert found.reason.startswith(
        "Cannot judge: the reference is shorter than six windows. It has 2,999 rows, 3,000 needed"
    )


def test_what_the_reference_does_by_itself_is_no_alarm(rng):
    """A reference that swings by a deviation and a half from week to week: that much again is calm, more is not."""
    reference = np.concatenate([rng.normal(shift, 1.0, 500) for shift in (0.0, 1.5, 0.3, 1.2) * 5])
    plain, natural = Watched(reference), Watched(reference, wander_of(numeric_column("x", reference), reference))
    swing = rng.normal(1.5, 1.0, 500)
    assert plain.see(swing).verdict is Verdict.ALARM
    assert natural.see(swing).verdict is not Verdict.ALARM
    assert natural.see(rng.normal(4.0, 1.0, 500)).verdict is Verdict.ALARM


def test_merged_windows_longer_than_a_sixth_take_the_longest_margin(rng):
    """Of a reference of 3,000 rows, blocks of 2,000 are judged by the margin of 400."""
    reference = rng.normal(size=3000)
    wander = Wander((100, 200, 400), (Margin(0.3, 0.1), Margin(0.2, 0.1), Margin(0.1, 0.1)))
    watched = Watched(reference, wander)
    found = [watched.see(rng.normal(size=400)) for _ in range(4)][-1]
    margins = {test.windows: test.alarm_over for test in found.evidence if test.statistic == "distance"}
    n = {windows: 400 * windows * 3000 / (400 * windows + 3000) for windows in margins}
    noise = {windows: margins[windows] - 0.1 for windows in margins}
    assert noise[4] < noise[2] < noise[1]
    assert noise[1] * n[1] ** 0.5 == pytest.approx(noise[2] * n[2] ** 0.5, rel=0.2)


def test_calendar_columns_give_notices(rng):
    """Declared to tell the time: it never alarms, and says why."""
    watched = Watched(rng.normal(size=5000))
    found = [watched.see(rng.normal(2.0, 1.0, 500), replace(RULE, calendar=("x",))) for _ in range(2)]
    assert [(one.verdict, one.confirmed, one.is_calendar) for one in found] == [(Verdict.WARN, False, True)] * 2
    assert found[0].reason.startswith("Tells the time, so this is a notice and never an alarm. Changed: ")


def test_a_column_that_wanders_like_the_calendar_is_suggested_but_not_silenced(rng):
    """Only a person knows whether it tells the time."""
    reference = np.repeat(np.arange(12.0), 500)
    watched = Watched(reference, wander_of(numeric_column("x", reference), reference))
    assert watched.see(rng.choice(reference, 500)).is_calendar


def test_the_strict_rule_asks_for_more(rng):
    """One test, with both samples' own noise: its limit lies above the usual one."""
    reference, window = rng.normal(size=5000), rng.normal(0.6, 1.0, 1000)
    usual, strict = Watched(reference).see(window), Watched(reference).see(window, replace(RULE, strict=True))
    (test,) = strict.evidence
    distance = next(test for test in usual.evidence if test.statistic == "distance")
    assert (test.statistic, test.value) == ("distance", distance.value)
    assert test.alarm_over > distance.alarm_over
    assert strict.verdict is Verdict.ALARM
