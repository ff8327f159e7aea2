"""A table, or a stretch of time, cut into windows by the calendar, and one line per window."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Console

from vigie.cli.output import measured, number, plain, print_units, table, verdict_text
from vigie.cli.sheet import Columns
from vigie.domain.measurement import Verdict
from vigie.domain.window import Window
from vigie.errors import ConfigurationError, InsufficientDataError
from vigie.monitoring.window_report import Report
from vigie.training.roles import read_times

Piece = tuple[pa.Table, Window]


def cut(rows: pa.Table, time: str | None, by: str | None, *, now: datetime) -> list[Piece]:
    """Return consecutive calendar pieces of a table in the order of time; the whole table when ``by`` is None.

    Raises:
        ConfigurationError: the pieces are asked for by time and the project names no time column.
        DataError: the table is empty, or a row has no time.
    """
    if time is None or time not in rows.column_names:
        if by:
            raise ConfigurationError(
                "The table cannot be cut by time.",
                key="data.time",
                remedy="Name its time column in vigie.toml, or leave --by out.",
            )
        return [(rows, Window(now, now))]
    if not rows.num_rows:
        raise InsufficientDataError("Judging a table", needed=1, found=0)
    moments = pa.chunked_array([pa.array(read_times(time, rows.column(time)))])
    if by is None:
        bounds = pc.min_max(moments).as_py()
        return [(rows, Window(_utc(bounds["min"]), _utc(bounds["max"]) + timedelta(microseconds=1)))]
    floors = pc.floor_temporal(moments, unit=by)
    pieces = []
    for start in sorted(pc.unique(floors).drop_null().to_pylist()):
        piece = rows.filter(pc.equal(floors, pa.scalar(start, floors.type)))
        pieces.append((piece, Window(_utc(start), _utc(_following(start, by)))))
    return pieces


def calendar(window: Window, by: str) -> Iterator[Window]:
    """Yield the days, weeks from Monday, or months of a window, in UTC; the first and the last may be parts of one."""
    start = window.start
    while start < window.end:
        end = min(_following(_beginning(start, by), by), window.end)
        yield Window(start, end)
        start = end


def print_timeline(reports: list[Report], screen: Console) -> None:
    """Print one line per window: rows, the first two metrics, and how many inputs changed; then which ones."""
    first, second = (pair.current for pair in reports[0].performance.metrics[:2])
    promised = reports[0].performance.metrics[0].reference
    screen.print(
        f"[bold]{reports[0].model} version {reports[0].version}[/], judged window by window {_against(reports)}"
    )
    if promised:
        screen.print(f"held out at training: {promised.name} {measured(promised)}, n = {promised.n:,}")
    columns: Columns = [
        ("from", "left"),
        ("rows", "right"),
        ("performance", "left"),
        (first.name, "right"),
        ("[95 %]", "right"),
        (second.name, "right"),
        ("inputs", "right"),
    ]
    screen.print(table("inputs: how many of them changed", columns, [_line(report) for report in reports]))
    print_units((first, second), screen)
    screen.print()
    if not any(report.n for report in reports):
        screen.print(f"  {plain(reports[-1].nothing)}")
        return
    for reason, n_windows in _instead(reports):
        screen.print(f"  compared with training in {n_windows} of {len(reports)} windows: {plain(reason)}")
    for name, n_windows in _changed(reports):
        screen.print(f"  {plain(name)} changed in {n_windows} of {len(reports)} windows")
    for reason, n_windows in _unjudged(reports):
        screen.print(f"  inputs not known in {n_windows} of {len(reports)} windows. {plain(reason)}")
    silent = [report.performance for report in reports if report.performance.verdict is Verdict.UNKNOWN]
    if silent:
        why = plain(silent[0].reason)
        screen.print(f"  performance not known in {len(silent)} of {len(reports)} windows. {why}")


def _against(reports: list[Report]) -> str:
    """Return what the windows were compared with, and where that is not all the same, in how many of them."""
    kinds = Counter(report.baseline.name for report in reports).most_common()
    if len(kinds) == 1:
        return f"against {kinds[0][0]}"
    return "against " + ", ".join(f"{name} ({n_windows} of {len(reports)})" for name, n_windows in kinds)


def _changed(reports: list[Report]) -> list[tuple[str, int]]:
    """Return the features that changed, the most often first."""
    return Counter(name for report in reports for name in report.drifted).most_common()


def _instead(reports: list[Report]) -> list[tuple[str, int]]:
    """Return why training stood for what was asked for, in the first such window's words, and in how many of them."""
    reasons = [report.baseline.reason for report in reports if report.baseline.asked]
    return [(reasons[0], len(reasons))] if reasons else []


def _unjudged(reports: list[Report]) -> list[tuple[str, int]]:
    """Return why no input could be judged, in the first such window's words, and in how many windows that was."""
    unknown = [
        report.features[0].reason
        for report in reports
        if all(feature.verdict is Verdict.UNKNOWN for feature in report.features)
    ]
    return [(unknown[0], len(unknown))] if unknown else []


def _line(report: Report) -> tuple[str, ...]:
    first, second = (pair.current for pair in report.performance.metrics[:2])
    spread = "-"
    if first.interval:
        spread = f"{number(first.interval.low, first.unit)} to {number(first.interval.high, first.unit)}"
    judged = any(feature.verdict is not Verdict.UNKNOWN for feature in report.features)
    return (
        f"{report.window.start:%Y-%m-%d}",
        f"{report.n:,}",
        verdict_text(report.performance.verdict),
        number(first.value, first.unit),
        spread,
        number(second.value, second.unit),
        f"{len(report.drifted)} of {len(report.features)}" if judged else "-",
    )


def _beginning(moment: datetime, by: str) -> datetime:
    """Return when the day, week or month began that a moment lies in."""
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if by == "month":
        return midnight.replace(day=1)
    return midnight - timedelta(days=midnight.weekday() if by == "week" else 0)


def _following(start: datetime, by: str) -> datetime:
    if by == "month":
        return start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    return start + timedelta(days=7 if by == "week" else 1)


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
