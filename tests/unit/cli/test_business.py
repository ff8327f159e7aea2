"""What a terminal shows of estimates, segments and comparisons, at eighty columns."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
from rich.console import Console

from vigie.cli.business import print_business
from vigie.cli.comparison import print_comparison
from vigie.domain.measurement import Interval, Measurement, Verdict
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.domain.window import Window
from vigie.evaluation.metrics import Scores
from vigie.evaluation.sequences import AnytimeDifference
from vigie.loop.compare import ReadOut, Side
from vigie.monitoring.estimation import BLIND, EstimateReport, Trial
from vigie.monitoring.performance import Compared, PerformanceReport
from vigie.monitoring.weak_spots import find_weak_spots

NOW = datetime(2026, 1, 5, tzinfo=UTC)
AUC = Measurement("roc_auc", 0.8123, "1", 900, interval=Interval(0.79, 0.83, 0.95))


class Shown:
    """The parts of a report that are printed here."""

    performance = PerformanceReport(
        Verdict.OK, "x", (Compared(AUC, AUC),),
        Measurement("coverage", 0.9, "1", 1_000), Measurement("delay_median", 60.0, "s", 900),
    )  # fmt: skip

    def __init__(self, estimate, segments):
        self.estimate, self.segments = estimate, segments


def printed(write, what):
    """Return what a function prints, which must fit 80 columns."""
    screen = Console(file=io.StringIO(), width=80, highlight=False, emoji=False)
    write(what, screen)
    text = screen.file.getvalue()
    assert max(map(len, text.splitlines())) <= 80
    return text


def spots(*, wrong_in=None):
    """Return segments of a model that is right but in one town."""
    rng = np.random.default_rng(1)
    town, size = rng.choice(["Lyon", "Brest"], 900), rng.normal(0, 1, 900)
    proba = 1 / (1 + np.exp(-2 * size))
    y = ((rng.random(900) < proba) ^ (town == wrong_in)).astype(int)
    schema = Schema((Feature("town", Kind.CATEGORY),), Target("late", Task.BINARY, (False, True)))
    scores = Scores(y, (proba > 0.5).astype(int), np.column_stack([1 - proba, proba]))
    return find_weak_spots(schema, pd.DataFrame({"town": town.astype(object)}), scores, ("town",))


def test_an_estimate_is_told_as_one():
    """The title says that no outcome was used, the last line that it is blind to concept drift."""
    trial = Trial("roc_auc", 200, 0.81, 0.80, 0.03, 0.02)
    text = printed(print_business, Shown(EstimateReport(Verdict.OK, "x", ((AUC, AUC),), (trial,)), spots()))
    assert "Estimated performance: ok (900 predictions, no outcome used)" in text
    assert "tried on 200 outcomes: roc_auc estimated 0.8100, came out 0.8000" in text
    assert " ".join(text.split()).count(BLIND) == 1


def test_an_estimate_that_is_switched_off_says_why():
    """No table, one sentence."""
    off = EstimateReport(Verdict.UNKNOWN, "Estimates are switched off: why.", failed="why")
    text = printed(print_business, Shown(off, spots()))
    assert "Estimated performance: unknown\n  Estimates are switched off: why.\n" in text


def test_weak_spots_and_declared_segments_have_a_table_each():
    """The weak town stands above the rest; both towns are declared."""
    text = printed(print_business, Shown(EstimateReport(Verdict.UNKNOWN, "x"), spots(wrong_in="Brest")))
    assert "Weak spots of 2 segments compared (900 outcomes, 90.0 % of predictions)\n" in text
    assert "Declared segments (900 outcomes, 90.0 % of predictions)\n" in text
    assert text.count("town: Brest") == 2
    assert text.count("town: Lyon") == 1


def test_a_comparison_names_both_versions_and_its_condition():
    """Sentence, time, value, a table of both, and when it holds."""
    coverage = Measurement("coverage", 0.5, "1", 1800, interval=Interval(0.48, 0.52, 0.95))
    delay = Measurement("delay_median", 60.0, "s", 900)
    sides = [Side(version, (AUC,), coverage, delay) for version in ("3", "4")]
    worth = AnytimeDifference(1234.5, Interval(12.0, 2400.0, 0.975), 900, 900)
    window = Window(NOW, NOW + timedelta(days=3))
    read = ReadOut(window, *sides, "log-loss (nats)", worth, worth, "EUR/1000", "4", "Version 4 is better than 3.")
    text = printed(print_comparison, read)
    assert text.startswith("Version 4 is better than 3.\nboth answered from 2026-01-05 00:00:00 to 2026-01-08")
    value = "value: version 4 brings 1,234 EUR per 1,000 decisions more [12, 2,400; at every look, 97.5 %]"
    assert value in " ".join(text.split())
    assert "coverage" in text
    assert "where chance decided who answered" in " ".join(text.split())
    assert printed(print_comparison, replace(read, window=None)) == "Version 4 is better than 3.\n"
    lines = {line.split("  ")[0]: line.split() for line in text.splitlines()}
    assert lines["roc_auc"][-1] == f"{AUC.n:,}"
    assert lines["coverage"].count("1,800") == 2
    assert lines["delay_median (s)"].count("900") == 2


def test_versions_that_were_champion_by_turns_are_no_experiment():
    """What the ledger knows is said in the place of the condition."""
    side = Side("3", (AUC,), Measurement("coverage", 0.5, "1", 18), Measurement("delay_median", 60.0, "s", 9))
    window = Window(NOW, NOW + timedelta(days=3))
    read = ReadOut(window, side, side, "log-loss (nats)", None, None, "", None, "Not settled yet.", turns=3)
    text = " ".join(printed(print_comparison, read).split())
    assert "one took the other's place as champion 3 times. The clock decided who answered" in text
    assert "where chance decided" not in text
