"""What is printed: eighty columns, plain words, JSON without NaN."""

import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from vigie.cli import turns
from vigie.cli.output import Stream, console, fit_progress, number, plain, print_json, table
from vigie.cli.report import print_report
from vigie.cli.timeline import calendar, cut, print_timeline
from vigie.domain.model import ModelVersion
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.service import ServiceSample
from vigie.domain.task import Task
from vigie.domain.window import Window
from vigie.errors import ConfigurationError, DataError
from vigie.evaluation.metrics import Scores
from vigie.loop.cycle import Turn
from vigie.loop.retrain import Challenge
from vigie.monitoring.assess import Reference, WindowRows, assess, assess_service
from vigie.monitoring.counts import count_window
from vigie.monitoring.performance import PerformanceRule
from vigie.monitoring.profile import build_profile
from vigie.monitoring.technical import ServiceRule
from vigie.monitoring.thresholds import AlarmRule
from vigie.promotion.gate import GateDecision

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LIMITS = ServiceRule()
NAMES = (
    "length [cm]",
    "end[/]",
    "[bold]",
    ":smile:",
    "a" * 300,
    "é",
    "\x1b[31mred\nline",
    "[red]x[/red]",
    "日本語" * 20,
)


def a_report(names=NAMES, n=400, shift=3.0):
    """Return a report on a window whose inputs all moved."""
    rng = np.random.default_rng(0)
    schema = Schema(tuple(Feature(name, Kind.NUMBER) for name in names), Target("y", Task.REGRESSION))
    before = pd.DataFrame(rng.normal(size=(500, len(names))), columns=list(names))
    profile = build_profile(schema, before, rng.normal(size=500))
    after = pd.DataFrame(rng.normal(shift, 1, (n, len(names))), columns=list(names))
    y = rng.normal(size=n)
    counts = count_window(profile, after, y)
    rows = WindowRows(Window(NOW, NOW + timedelta(hours=1)), counts, Scores(y, y + 1) if n else None,
                      np.full(n, 5.0), np.full(n, 300.0) if n else None)  # fmt: skip
    rule = PerformanceRule(("rmse",), 0.02, 100, 0.05)
    reference = Reference("odd", "1", Task.REGRESSION, profile, {})
    return assess(rows, reference, AlarmRule(0.05, 0.02, 0.05, 200), rule, look=1)


def printed(monkeypatch, tell):
    """Return what ``tell(screen)`` prints."""
    screen = console()
    monkeypatch.setattr(screen, "file", Stream(io.StringIO()))
    tell(screen)
    return screen.file.getvalue()


def test_a_report_with_any_names_is_printed_as_it_is(monkeypatch):
    """Brackets are not styles, colons not pictures, and no name forges a line or moves the cursor."""
    shown = printed(monkeypatch, lambda screen: print_report(a_report(), screen))
    for name in ("length [cm]", "end[/]", "[bold]", ":smile:", "é", "[red]x[/red]"):
        assert name in shown
    assert "\x1b" not in shown
    assert "\nline" not in shown


def test_a_timeline_says_why_performance_is_not_known(monkeypatch):
    """A column of "unknown" tells nobody what is missing."""
    shown = printed(monkeypatch, lambda screen: print_timeline([a_report(NAMES[:1], n=60)], screen))
    why = "performance not known in 1 of 1 windows. Not enough outcomes yet: 60 known, 100 needed."
    assert why in " ".join(shown.split())


def test_a_report_fits_eighty_columns(monkeypatch):
    """Long names are folded."""
    from rich.cells import cell_len  # noqa: PLC0415  beside its only use

    shown = printed(monkeypatch, lambda screen: print_report(a_report(), screen))
    assert max(cell_len(line) for line in shown.splitlines()) <= 80


@pytest.mark.parametrize("error", [True, False])
def test_no_line_ends_with_blanks_where_it_is_piped(error, capsys):
    """Neither a row that is shorter than its table, nor a paragraph that was broken."""
    screen = console(error=error)
    screen.print(table("Cities", (("city", "left"), ("why", "left")), [("Lyon", "x"), ("Aix", "a word " * 20)]))
    screen.print("a word " * 20)
    shown = capsys.readouterr()[error].splitlines()
    assert len(shown) > 5
    assert [line for line in shown if line != line.rstrip()] == []


def test_a_log_file_reads_a_line_for_every_candidate_that_is_done(capsys):
    """On standard error, without a bar."""
    with fit_progress(quiet=False) as progress:
        for step in (("dummy", 0, 8), ("dummy", 3, 8), ("own[1].Model", 3, 8), ("own[1].Model", 8, 8)):
            progress(*step)
    told = capsys.readouterr()
    assert re.sub(r"\d+ s", "0 s", told.err).splitlines() == [
        "dummy is done: 3 of 8 fits after 0 s",
        "own[1].Model is done: 8 of 8 fits after 0 s",
    ]
    assert told.out == ""


@pytest.mark.parametrize("asked", [{"quiet": True}, {"quiet": False, "doing": "Reporting"}])
def test_a_log_file_reads_nothing_of_what_is_quiet_or_short(asked, capsys):
    """JSON is for programs; parts of a report take a second each."""
    with fit_progress(**asked) as progress:
        progress("dummy", 0, 8)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("n", range(70, 80))
def test_a_percent_sign_stays_with_its_number(n, capsys):
    """Wherever the line has to be broken."""
    console().print("x" * n + " 90 %] and more of it")
    assert "90 %]" in capsys.readouterr().out


def test_an_empty_window_is_printed(monkeypatch):
    """No prediction yet is a report too."""
    shown = printed(monkeypatch, lambda screen: print_report(a_report(n=0), screen))
    assert "0 predictions" in shown
    assert "no outcome yet" in shown
    assert "Ask a server that `vigie serve`" in " ".join(shown.split())


def test_no_window_is_no_table(monkeypatch):
    """A ledger that knows no champion began no window: that is said, and how one begins."""
    report = replace(a_report(n=0), window=Window(NOW, NOW))
    shown = printed(monkeypatch, lambda screen: print_report(report, screen))
    assert shown.splitlines()[1] == "no window yet, look 1 at this version"
    assert "`vigie watch` opens one" in " ".join(shown.split())
    assert report.nothing in report.to_dict()["headline"]
    table = replace(a_report(), window=Window(NOW, NOW))
    assert printed(monkeypatch, lambda screen: print_report(table, screen)).splitlines()[1].startswith("a table")


def test_a_timeline_without_a_prediction_says_what_to_do(monkeypatch):
    """Not why inputs are unknown."""
    shown = printed(monkeypatch, lambda screen: print_timeline([a_report(n=0)] * 2, screen))
    assert "Ask a server that `vigie serve` started" in " ".join(shown.split())
    assert "200 needed" not in shown


def test_the_servers_numbers_say_since_when(monkeypatch):
    """Not those of the window at the top, and no sample of requests where there is none; on eighty columns."""
    report, now = a_report(n=200), (NOW + timedelta(hours=1)).timestamp()
    sample = ServiceSample(requests=2e6, failures=12, cpu_s=60.0, started_at_s=now - 90_000, uptime_s=90_000.0,
                           memory_bytes=2.0**21, log_depth=0, log_sync_s=0.001)  # fmt: skip
    before = {**sample.counters(), "uptime_s": 88_200.0, "requests": 1.99e6}
    shown = [
        printed(monkeypatch, lambda screen, b=b: print_report(assess_service(report, sample, b, LIMITS), screen))
        for b in ({}, before)
    ]
    assert "2,000,000 requests since 2026-02-28 00:00\n" in shown[0]
    assert "1 reading since 2026-02-28 00:00\n" in shown[0]
    assert "10,000 requests since 00:30:00\n" in shown[1]
    for text in shown:
        assert re.search(r"^latency_p99 +- +Needs at least 368 answers, found 200\.$", text, re.MULTILINE)
        assert re.search(r"^latency_p95 .* ms +200 answers$", text, re.MULTILINE)
        assert re.search(r"^memory +2 MiB +1 reading, now$", text, re.MULTILINE)
        service = text[text.index("Service:") :].splitlines()
        assert (len(service), max(map(len, service)) <= 80) == (11, True)


@pytest.mark.parametrize("n", [0, 1, 400])
def test_a_report_is_json_without_nan(n, capsys):
    """Programs parse it strictly."""
    print_json(a_report(n=n).to_dict())
    found = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert found["n"] == n
    assert len(found["features"]) == len(NAMES)


@pytest.mark.parametrize("closed", [True, False])
def test_a_turn_is_json_without_nan(closed, capsys):
    """Also one that did nothing."""
    print_json(turns.turn_json(Turn(a_report(), closed=closed)))
    assert json.loads(capsys.readouterr().out, parse_constant=pytest.fail)["window_closed"] is closed


def test_trouble_with_brackets_is_printed(monkeypatch):
    """An error may quote a name."""
    turn = replace(Turn(a_report()), trouble="Column 'end[/]' is odd.")
    assert "Could not retrain: Column 'end[/]' is odd." in printed(
        monkeypatch, lambda screen: turns.print_turn(turn, screen)
    )


def test_a_promotion_that_was_lost_is_told_after_the_gate(monkeypatch):
    """The challenger was fine; its place was not free any more."""
    gate = GateDecision(promote=True, reasons=("Better.",), loss="log-loss", difference=None)
    lost = Challenge(ModelVersion("odd", "3", None, NOW), None, gate)
    turn = replace(Turn(a_report()), challenge=lost, trouble="Somebody moved it meanwhile.")
    shown = printed(monkeypatch, lambda screen: turns.print_turn(turn, screen)).split()
    assert " ".join(shown) == "Gate: promote version 3. Better. Could not promote: Somebody moved it meanwhile."


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (None, "1", "-"),
        (float("nan"), "1", "-"),
        (0.5, "1", "0.5000"),
        (12.3456, "ms", "12.35"),
        (123456.7, "EUR", "123,457"),
        (1.41421e36, "target", "1.414e+36"),
        (-1e200, "1", "-1e+200"),
    ],
)
def test_numbers_are_short(value, unit, shown):
    """Four decimals for scores, four digits for the rest, a dash for nothing."""
    assert number(value, unit) == shown


@pytest.mark.parametrize("text", ["[/]", "[bold]x", "a\\[b]", "x[/y]", "[link=http://x]y"])
def test_plain_text_survives_the_console(monkeypatch, text):
    """What goes in comes out."""
    assert printed(monkeypatch, lambda screen: screen.print(plain(text))).rstrip("\n") == text


TIMES = pa.array([datetime(2026, month, 3) for month in (1, 1, 2, 12)], pa.timestamp("us"))  # noqa: DTZ001  naive on purpose


@pytest.mark.parametrize(("by", "sizes"), [("month", [2, 1, 1]), ("day", [2, 1, 1]), ("week", [2, 1, 1]), (None, [4])])
def test_a_table_is_cut_by_calendar(by, sizes):
    """Every row is in one piece, and inside its window."""
    pieces = cut(pa.table({"t": TIMES}), "t", by, now=NOW)
    assert [piece.num_rows for piece, _ in pieces] == sizes
    for piece, window in pieces:
        assert all(moment.replace(tzinfo=UTC) in window for moment in piece.column("t").to_pylist())


@pytest.mark.parametrize(
    ("by", "starts"),
    [
        ("day", ["12-30 18:30", "12-31 00:00", "01-01 00:00", "01-02 00:00"]),
        ("week", ["12-30 18:30"]),
        ("month", ["12-30 18:30", "01-01 00:00"]),
    ],
)
def test_a_stretch_of_time_is_cut_by_calendar(by, starts):
    """Nothing is lost or counted twice; today's part stands under today's date."""
    whole = Window(datetime(2025, 12, 30, 18, 30, tzinfo=UTC), datetime(2026, 1, 2, 18, 30, tzinfo=UTC))
    parts = list(calendar(whole, by))
    assert [f"{part.start:%m-%d %H:%M}" for part in parts] == starts
    assert [part.end for part in parts] == [*(part.start for part in parts[1:]), whole.end]


def test_a_week_begins_on_monday():
    """As for a table that is cut by week; a window that ends at midnight has no empty part after it."""
    whole = Window(datetime(2026, 1, 3, tzinfo=UTC), datetime(2026, 1, 12, tzinfo=UTC))
    assert [part.start.day for part in calendar(whole, "week")] == [3, 5]


def test_december_is_followed_by_january():
    """The window of the last month ends in the next year."""
    assert cut(pa.table({"t": TIMES}), "t", "month", now=NOW)[-1][1].end == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("texts", [["03/01/2026", "x"], ["2026-01-01", None], [None, None]])
def test_times_that_are_none_are_told(texts):
    """A sentence that names the column, not Arrow's own error."""
    with pytest.raises(DataError, match="'t'"):
        cut(pa.table({"t": pa.array(texts, pa.string())}), "t", "month", now=NOW)


def test_cutting_without_a_time_column_is_a_configuration_error():
    """It says which setting is missing."""
    with pytest.raises(ConfigurationError, match=r"data\.time"):
        cut(pa.table({"a": [1]}), None, "month", now=NOW)


def test_an_empty_table_is_told():
    """There is nothing to judge."""
    with pytest.raises(DataError):
        cut(pa.table({"t": pa.array([], pa.timestamp("us"))}), "t", "month", now=NOW)


def test_a_timeline_fits_eighty_columns(monkeypatch):
    """Also with many changed inputs."""
    shown = printed(monkeypatch, lambda screen: print_timeline([a_report(), a_report()], screen))
    assert max(map(len, shown.splitlines())) <= 80
    assert "end[/]" in shown
