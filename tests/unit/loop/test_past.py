"""Windows judged before: merged with the present one, asked for a second alarm, or standing in for training."""

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from io import StringIO

import pytest
from rich.console import Console

from vigie.cli.report import print_report
from vigie.cli.timeline import print_timeline
from vigie.domain.measurement import Verdict
from vigie.domain.window import Window
from vigie.loop.hours import counts_in
from vigie.loop.monitor import backtests, monitor, next_look, open_window
from vigie.loop.past import baseline_profile, past_counts
from vigie.loop.picture import picture
from vigie.testing.tables import churn_table


@pytest.fixture
def careful(world):
    """Return a world that asks for two alarms in a row, as the settings do by default."""
    world.change(alarm=replace(world.loop.rules.alarm, in_a_row=2), min_labelled=10_000)
    return world


def test_the_first_changed_window_tells_nobody_and_the_second_does(careful):
    """An alarm in the report; mail and the question of retraining wait for the second in a row."""
    turns = []
    for seed in (31, 32):
        careful.ask(churn_table(400, seed=seed, drift=1.0), known=0.0)
        turns.append(careful.turn())
    assert [turn.report.verdict for turn in turns] == [Verdict.ALARM, Verdict.ALARM]
    assert [turn.alert is None for turn in turns] == [True, False]
    assert [turn.needs_attention for turn in turns] == [False, True]
    assert [turn.decision.asked for turn in turns] == [False, True]
    assert set(turns[1].report.confirmed) <= set(turns[1].report.drifted)
    assert len(careful.notifier.alerts) == 1


def test_the_second_window_is_judged_with_the_first(careful):
    """Two windows make a block of two; the numbers are those of all their rows."""
    for seed in (33, 34):
        careful.ask(churn_table(300, seed=seed), known=0.0)
        report = careful.turn().report
    assert {test.windows for test in report.features[0].evidence} == {1, 2}


def test_past_counts_are_those_of_the_windows_in_the_ledger(careful):
    """Four windows judged: the fifth needs the fourth, the eighth all seven; here are the last ones that there are."""
    sizes = (210, 220, 230, 240)
    for seed, n in enumerate(sizes):
        careful.ask(churn_table(n, seed=seed), known=0.0)
        careful.turn()
    opened, window = careful.opened(), open_window(careful.loop, "1")
    assert next_look(careful.loop, "1") == 5
    assert [counts.n for counts in past_counts(careful.loop, opened, window, look=5)] == [240]
    assert [counts.n for counts in past_counts(careful.loop, opened, window, look=8)] == list(sizes)


def test_a_window_that_overlaps_a_judged_one_is_looked_at_alone(careful):
    """``vigie monitor --last`` may look back: its rows must not be counted twice."""
    careful.ask(churn_table(400, seed=5), known=0.0)
    careful.turn()
    now = careful.clock.now()
    overlapping = Window(now - timedelta(days=1), now)
    assert past_counts(careful.loop, careful.opened(), overlapping, look=2) == []


def test_backtests_follow_each_other(world):
    """Tables judged in order: the second changed month confirms the first."""
    world.change(alarm=replace(world.loop.rules.alarm, in_a_row=2))
    now = world.clock.now()
    windows = [Window(now + timedelta(days=k), now + timedelta(days=k + 1)) for k in range(3)]
    tables = [churn_table(500, seed=40, drift=0.0), *(churn_table(500, seed=seed, drift=1.0) for seed in (41, 42))]
    reports = backtests(world.loop, world.opened(), list(zip(tables, windows, strict=True)))
    assert [bool(report.confirmed) for report in reports] == [False, False, True]
    assert [report.look for report in reports] == [1, 2, 3]


def test_the_last_accepted_window_stands_for_training(world):
    """A world that changed once and was accepted is the new normal."""
    world.change(baseline="accepted", min_labelled=10_000)
    world.ask(churn_table(600, seed=51), known=0.0)
    first = world.turn().report
    world.ask(churn_table(600, seed=52), known=0.0)
    second = world.turn().report
    assert (first.baseline.kind, second.baseline.kind, second.baseline.n) == ("training", "accepted", 600)
    assert second.baseline.window == first.window
    assert second.drifted == ()


def test_an_alarming_window_is_not_accepted(world):
    """What alarmed does not become the normal by itself."""
    world.change(baseline="accepted", min_labelled=10_000)
    for seed, drift in ((53, 0.0), (54, 1.0), (55, 1.0)):
        world.ask(churn_table(600, seed=seed, drift=drift), known=0.0)
        report = world.turn().report
    assert report.drifted
    assert report.baseline.n == 600
    assert report.baseline.window.end < report.window.start


def test_a_window_that_nobody_could_judge_is_not_accepted(world):
    """Else a change in windows too small to be judged would become the normal unseen."""
    world.change(baseline="accepted", min_labelled=10_000)
    reports = []
    for n, drift in ((600, 0.0), (200, 1.0), (600, 1.0)):
        world.ask(churn_table(n, seed=60 + n + int(drift), drift=drift), known=0.0)
        if n == 200:  # fewer than can be judged, and as many as a window may have
            world.change(alarm=replace(world.loop.rules.alarm, distance_margin=0.6, psi_margin=9.0))
        reports.append(world.turn().report)
        world.change(alarm=replace(world.loop.rules.alarm, distance_margin=0.05, psi_margin=0.02))
    assert {feature.verdict.value for feature in reports[1].features} == {"unknown"}
    assert reports[2].baseline.window == reports[0].window
    assert reports[2].drifted


def test_the_same_period_last_season_stands_for_training(world):
    """A week ago the same customers came: compared with then, nothing changed."""
    world.change(baseline="season", season=timedelta(days=7))
    world.ask(churn_table(600, seed=56, drift=1.0), known=0.0)
    now = world.clock.now()
    week_ago = Window(now - timedelta(hours=1), now)
    assert counts_in(world.loop, world.opened(), week_ago).n == 600
    world.clock.advance(timedelta(days=7).total_seconds())
    world.ask(churn_table(600, seed=57, drift=1.0), known=0.0)
    window = Window(world.clock.now() - timedelta(hours=1), world.clock.now())
    report = monitor(world.loop, world.opened(), window, look=1)
    assert (report.baseline.kind, report.baseline.n, report.drifted) == ("season", 600, ())
    world.change(baseline="training")
    assert monitor(world.loop, world.opened(), window, look=1).drifted


def _screen(write, told):
    screen = Console(file=StringIO(), width=80, highlight=False)
    write(told, screen)
    return " ".join(screen.file.getvalue().split())


def _page(world, report):
    """Return the words of a report's page."""
    shown = picture(world.loop, world.opened(), report, counts_in(world.loop, world.opened(), report.window))
    return unescape(re.sub(r"<style.*?</style>|<svg.*?</svg>|<[^>]*>", "\n", shown, flags=re.DOTALL))


def _a_week_apart(world, *, before=600, drift=1.0):
    """Ask twice, a week apart; return the second hour."""
    world.change(baseline="season", season=timedelta(days=7))
    if before:
        world.ask(churn_table(before, seed=56, drift=1.0), known=0.0)
    world.clock.advance(timedelta(days=7).total_seconds())
    world.ask(churn_table(600, seed=57, drift=drift), known=0.0)
    return Window(world.clock.now() - timedelta(hours=1), world.clock.now())


def test_everything_names_the_season_that_stands_for_training(world):
    """Terminal, timeline, page and sentences say what, from when to when, and how many rows; nothing says training."""
    window = _a_week_apart(world)
    report = monitor(world.loop, world.opened(), window, look=1)
    then = Window(window.start - timedelta(days=7), window.end - timedelta(days=7))
    told = f"the same period one season ago, {then.told}, n = 600"
    assert f"Inputs and predictions are compared with {told}." in report.headline
    assert "Inputs look like those of the same period one season ago." in report.headline
    assert f"Inputs and predictions against {told}" in _screen(print_report, report)
    assert "judged window by window against the same period one season ago" in _screen(print_timeline, [report])
    page = _page(world, report)
    assert "Do the inputs look like those of the same period one season ago?" in page
    assert f"Every feature against {told}, the gravest first" in page
    assert f"The predictions against those of {told}." in page
    assert "Grey: the same period one season ago, n = 600. Blue: window, n = 600." in page
    assert "An earlier window stands for one window: none are added up." in page
    assert "Grey: training" not in page


def test_an_alarm_names_the_window_it_is_against(world):
    """The message, too: a change since last week is not one since training."""
    window = _a_week_apart(world, drift=0.0)
    report = monitor(world.loop, world.opened(), window, look=1)
    assert report.confirmed
    (told,) = (sentence for sentence in report.told if "compared with" in sentence)
    assert told.startswith("Inputs and predictions are compared with the same period one season ago, ")


def test_a_page_draws_what_the_window_was_compared_with(world):
    """The grey bars are last week's, not training's."""
    window = _a_week_apart(world)
    report = monitor(world.loop, world.opened(), window, look=1)
    drawn = baseline_profile(world.loop, world.opened(), report.baseline)
    assert [column.counts.n for column in drawn.columns] == [600] * len(drawn.columns)


@pytest.mark.parametrize(
    ("before", "season", "why"),
    [
        (0, timedelta(days=7), "there, this version made 0 predictions, 200 needed"),
        (150, timedelta(days=7), "there, this version made 150 predictions, 200 needed"),
        (600, timedelta(minutes=50), "this window is longer than a season, and would be compared with itself"),
    ],
)
def test_training_that_stands_for_a_season_says_so_and_why(world, before, season, why):
    """In the sentences, in the terminal and on the page."""
    window = _a_week_apart(world, before=before)
    world.change(season=season)
    report = monitor(world.loop, world.opened(), window, look=1)
    assert (report.baseline.kind, report.baseline.asked) == ("training", "season")
    n = world.opened().profile.rows
    told = (
        f"Inputs and predictions are compared with training, n = {n:,}, not with the same period one season ago: {why}."
    )
    assert told in report.headline
    assert told in _page(world, report)
    assert f"Inputs and predictions against training, n = {n:,}" in _screen(print_report, report)
    assert f"compared with training in 1 of 1 windows: {why}" in _screen(print_timeline, [report])


def test_a_late_turn_is_compared_with_the_season_before(world):
    """An hour, and a season of 59 minutes: the minute that both would hold is the present's alone."""
    _a_week_apart(world)
    world.change(season=timedelta(minutes=59))
    world.clock.advance(3_500)
    world.ask(churn_table(600, seed=58, drift=1.0), known=0.0)
    now = world.clock.now()
    window = Window(now - timedelta(hours=1), now)
    report = monitor(world.loop, world.opened(), window, look=1)
    assert report.baseline.window == Window(window.start - timedelta(minutes=59), window.start)


def test_the_first_window_has_no_accepted_one_before_it(world):
    """It says so; a table has none at all, ever."""
    world.change(baseline="accepted")
    world.ask(churn_table(600, seed=51), known=0.0)
    report = world.turn().report
    assert report.baseline.reason == "none of 200 predictions or more was accepted before this one"
    now = world.clock.now()
    (judged,) = backtests(world.loop, world.opened(), [(churn_table(500, seed=3), Window(now, now))])
    assert judged.baseline.reason == "a table is no part of the traffic"
    assert any("not with the last accepted window: a table is" in sentence for sentence in judged.headline)


def test_whoever_asks_for_training_hears_nothing_of_it(world):
    """The default has its name and n in the table, and no sentence."""
    world.ask(churn_table(600, seed=51), known=0.0)
    report = world.turn().report
    assert report.baseline.sentence == ""
    assert report.baseline.to_dict()["asked"] is None
