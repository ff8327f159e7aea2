"""Every number of a window's page, and of the terminal, says its unit and how many rows it rests on."""

import io
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from vigie.cli.report import print_report
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.domain.window import Window
from vigie.evaluation.intervals import measure
from vigie.evaluation.metrics import Scores
from vigie.evaluation.value import DecisionValue, value_per_thousand
from vigie.monitoring.assess import Reference, WindowRows, assess
from vigie.monitoring.counts import count_window
from vigie.monitoring.estimation import fit_basis, read_basis
from vigie.monitoring.expected import Answers
from vigie.monitoring.performance import PerformanceRule
from vigie.monitoring.profile import build_profile
from vigie.monitoring.report import PageInputs, build
from vigie.monitoring.thresholds import AlarmRule
from vigie.monitoring.weak_spots import AskedRows

NOW = datetime(2026, 3, 1, tzinfo=UTC)
NAMES = ("number_of_rooms_in_the_whole_house_before_the_renovation", "place_as_the_land_registry_says")
WORTH = DecisionValue(80, -10, -60, 0, "EUR")


def houses(rng, n, *, off=1.0):
    """Return houses and what is said of their price, in the hundred thousands; in the town it is twice as far off."""
    place = rng.choice(["Saint-Germain-des-Prés et alentours", "Montmartre"], n).astype(object)
    y = rng.normal(400_000, 100_000, n)
    error = rng.normal(0, 100_000 * off, n) * np.where(place == "Montmartre", 1, 2)
    return pd.DataFrame({NAMES[0]: rng.normal(100_000, 30_000, n), NAMES[1]: place}), Scores(y, y + error)


def clients(rng, n, *, off=1.0):
    """Return clients and the probability that they leave."""
    x = rng.normal(size=n)
    proba = 1 / (1 + np.exp(-2 * x))
    y = (rng.random(n) < 0.5 + off * (proba - 0.5)).astype(int)
    scores = Scores(y, (proba > 0.5).astype(int), np.column_stack([1 - proba, proba]))
    return pd.DataFrame({NAMES[0]: x, NAMES[1]: rng.choice(["a", "b"], n).astype(object)}), scores


def told(draw, task, *, n=150_000, off=1.0):
    """Return what goes into the page of a window that was compared with 4,000 rows."""
    rng = np.random.default_rng(0)
    schema = Schema((Feature(NAMES[0], Kind.NUMBER), Feature(NAMES[1], Kind.CATEGORY)), _target(task))
    value = WORTH if task is Task.BINARY else None
    before, then = draw(rng, 4_000)
    frame, scores = draw(rng, n, off=off)
    promised = {item.name: item for item in measure(then, task)}
    promised |= {"value": value_per_thousand(then, value)} if value else {}
    quantity = [side.predicted if side.proba is None else side.proba[:, 1] for side in (then, scores)]
    profile = build_profile(schema, before, quantity[0])
    counts = count_window(profile, frame, quantity[1])
    rows = WindowRows(
        Window(NOW, NOW + timedelta(hours=1)), counts, scores, np.full(n, 60.0), None,
        answers=Answers(scores.predicted, scores.proba), scored_frame=frame, asked=AskedRows(frame, np.ones(n, bool)),
    )  # fmt: skip
    basis = read_basis(fit_basis(schema, before, then))
    reference = Reference("odd", "1", task, profile, promised, value=value, schema=schema, basis=basis)
    metrics = ("rmse",) if task is Task.REGRESSION else ("roc_auc", "log_loss")
    drift = AlarmRule(0.05, 0.02, 0.05, 200)
    report = assess(rows, reference, drift, PerformanceRule(metrics, 0.02, 100, 0.05, segments=NAMES), look=1)
    limits = (0.0, 1.0) if task is Task.BINARY else None
    return PageInputs(report, profile, counts, drift, 0.02, 100, NOW, target="price", limits=limits)


def _target(task):
    return Target("price", task, (False, True) if task is Task.BINARY else ())


def shown(report):
    """Return what a terminal of eighty columns shows."""
    screen = Console(file=io.StringIO(), width=80, highlight=False)
    print_report(report, screen)
    return screen.file.getvalue()


def table(inputs, anchor, place=0):
    """Return a table of a section as dicts of its rows, by their first cell."""
    (section,) = (section for section in build(inputs).sections if section.anchor == anchor)
    found = section.tables[place]
    return {row[0]: dict(zip(found.columns, row, strict=True)) for row in found.rows}


@pytest.fixture(scope="module")
def prices():
    """A regression in units of its target."""
    return told(houses, Task.REGRESSION)


@pytest.fixture(scope="module")
def leavers():
    """A binary task whose decisions have a value."""
    return told(clients, Task.BINARY)


@pytest.mark.parametrize(("draw", "task"), [(houses, Task.REGRESSION), (clients, Task.BINARY)])
@pytest.mark.parametrize("off", [1.0, 1.6])
def test_no_table_of_a_terminal_breaks_a_number(draw, task, off):
    """Long names, hundreds of thousands of rows, six digits: every interval stands in one line."""
    lines = shown(told(draw, task, off=off).report).splitlines()
    assert max(map(len, lines)) <= 80
    assert [line for line in lines if line.count("[") != line.count("]")] == []


def test_a_terminal_says_units_and_rows(prices, leavers):
    """Of values, losses, and what was held out."""
    assert shown(prices.report).count("rmse, mae in the target's own unit\n") == 3
    text = shown(leavers.report)
    assert text.count("log_loss in nats; value in EUR per 1,000 decisions\n") == 2
    assert text.count("held out at training, n = 4,000 [95 %]") == 2


def test_a_page_says_units_and_rows(prices, leavers):
    """In the tables of what came true and of what was expected."""
    for anchor in ("performance", "estimate"):
        assert table(prices, anchor)["RMSE"]["unit"] == "units of price"
        assert table(leavers, anchor)["value"]["unit"] == "EUR per 1,000 decisions"
        assert table(leavers, anchor)["log-loss"]["unit"] == "nats"
        assert table(leavers, anchor)["ROC-AUC"]["n at training"] == "4,000"
    assert table(leavers, "performance")["ROC-AUC"]["n"] == "150,000"


def test_the_loss_elsewhere_has_an_interval_and_rows(prices):
    """Beside the weak spot's own; both together are all rows."""
    (spot,) = prices.report.segments.worst
    assert spot.elsewhere.interval.low < spot.elsewhere.value < spot.elsewhere.interval.high
    assert spot.loss.n + spot.elsewhere.n == 150_000
    row = table(prices, "segments")[f"{NAMES[1]}: Saint-Germain-des-Prés et alentours"]
    assert row["n elsewhere"] == f"{spot.elsewhere.n:,}"
    assert " to " in row["elsewhere"]
    assert "RMSE, units of price" in row
    assert f"{spot.elsewhere.n:,}" in shown(prices.report)


def test_no_statistic_has_a_unit_that_is_the_word_feature(prices):
    """A mean is in the column's own unit, which has no name."""
    (section,) = (section for section in build(prices).sections if section.anchor == "inputs")
    rows = [row for found in section.tables for row in found.rows]
    assert any(row[1] == "mean" for row in rows)
    assert not [cell for row in rows for cell in row if cell.endswith("feature")]
