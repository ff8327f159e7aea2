"""``vigie monitor``: one window judged, or a table judged month by month."""

import os
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from vigie.cli.options import json_option, project_option, settings_of
from vigie.domain.measurement import Verdict
from vigie.reporting.wording import percent

MOST_WINDOWS = 1_000
"""With --last and --by: three years of days."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the options say."""

    as_json: bool
    last: str | None
    data: str | None
    by: str | None
    html: Path | None
    evidently: Path | None
    replay_rows: int | None
    fail_on: str | None

    def __post_init__(self) -> None:
        """Refuse what does not go together."""
        if self.by and not (self.data or self.last):
            raise click.UsageError("--by goes with --data or with --last")
        if self.by and (self.html or self.evidently):
            raise click.UsageError("a page shows one window: leave --by out, or cut the table yourself")
        if self.replay_rows is not None and (ignored := self._beside_replay()):
            raise click.UsageError(f"--replay tries the rule on the training table: leave {', '.join(ignored)} out")

    def _beside_replay(self) -> list[str]:
        """Return the options given that say something of a window, which a replay has none of."""
        windowed = {
            "--last": self.last,
            "--data": self.data,
            "--by": self.by,
            "--html": self.html,
            "--evidently": self.evidently,
            "--fail-on": self.fail_on,
        }
        return [option for option, given in windowed.items() if given]


@click.command("monitor")
@project_option
@json_option
@click.option("--last", metavar="LENGTH", help="Judge the last 30m, 6h, 7d … instead of the open window.")
@click.option("--data", metavar="SOURCE", help="Judge a table as if it had been traffic (same forms as data.source).")
@click.option(
    "--by", type=click.Choice(["day", "week", "month"]), help="With --data or --last: a window a day, week, month."
)
@click.option(
    "--replay",
    "replay_rows",
    type=click.IntRange(min=0),
    is_flag=False,
    flag_value=0,
    metavar="[ROWS]",
    help="Try the alarm rule on the training table itself, in windows of so many rows [default: monitoring.min_rows].",
)
@click.option(
    "--html",
    "html",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the window as one HTML page that works offline.",
)
@click.option(
    "--evidently",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write Evidently's own report of the same rows too; it needs an environment of its own.",
)
@click.option("--fail-on", type=click.Choice(["alarm", "warn"]), help="Exit with 1 on this verdict or a graver one.")
def command(project: Path, **options: Any) -> None:
    """Say how inputs, predictions and performance compare with training.

    Inputs and predictions are compared with monitoring.baseline, training unless it says otherwise; performance always
    with what was held out at training.

    Judges the champion's open window: from the last window that `vigie watch` closed until now. It only reads: the
    window stays open and no part of the false-alarm budget is spent.

    With --by, a line per day, week (from Monday) or month, in UTC: of the last --last 30d (at most 1,000 lines), whose
    first and last line may hold a part of one, or of the table that --data names.

    --replay asks how often the rule would have alarmed where nothing is known to have changed: half of the training
    table stands for the reference, windows are cut from the other half, in order of time where data.time is named. Only
    --json goes with it.
    """
    from vigie.cli.output import console, print_json
    from vigie.cli.report import print_report
    from vigie.wiring.alerting import asking
    from vigie.wiring.operate import open_look

    asked = Asked(**options)
    settings = settings_of(project)
    if asked.last and not asked.data:
        check_season(settings, longest(asked.last, asked.by), option="--by" if asked.by else "--last")
    if asked.replay_rows is not None:
        _replay(settings, asked.replay_rows, as_json=asked.as_json)
        return
    with open_look(settings) as loop:
        opened = _champion(loop)
        if asked.data:
            reports = _backtests(loop, opened, settings, asked.data, asked.by)
        elif asked.last and asked.by:
            reports = _over_time(loop, opened, asked.last, asked.by)
        else:
            reports = [_live(asking(loop, settings, os.environ), opened, asked.last)]
        if asked.html:
            _draw(loop, opened, settings, asked, reports[0])
        if asked.as_json:
            print_json([report.to_dict() for report in reports] if asked.data or asked.by else reports[0].to_dict())
        elif asked.by:
            from vigie.cli.timeline import print_timeline

            print_timeline(reports, console())
        else:
            print_report(reports[0], console())
        if asked.evidently:  # last: what it cannot do must not cost the reader our own report
            _ask_evidently(loop, opened, settings, asked, reports[0])
    worst = Verdict.worst(report.verdict for report in reports)
    if asked.fail_on and list(Verdict).index(worst) >= list(Verdict).index(Verdict(asked.fail_on)):
        sys.exit(1)


def check_season(settings: Any, window: timedelta, *, option: str) -> None:
    """Refuse windows that are longer than the season they would be compared with."""
    from vigie.settings import duration_text

    monitoring = settings.monitoring
    if monitoring.baseline == "season" and window > monitoring.season:
        season = duration_text(monitoring.season)
        raise click.BadParameter(
            f"windows of {duration_text(window)} are longer than monitoring.season, {season}: "
            "they would be compared with a part of themselves. Ask for shorter ones, or set "
            "VIGIE_MONITORING__BASELINE=training.",
            param_hint=option,
        )


def longest(last: str, by: str | None) -> timedelta:
    """Return the longest window that a stretch is cut into."""
    whole = length(last)
    return min(whole, timedelta(days={"day": 1, "week": 7, "month": 31}[by])) if by else whole


def _champion(loop: Any) -> Any:
    """Open the version that serves; a column that monitoring's settings name wrongly is an error."""
    from vigie.loop.champion import champion_version, open_version
    from vigie.loop.misnamed import misnamed

    opened = open_version(loop, champion_version(loop))
    for error in misnamed(opened.schema, calendar=loop.rules.alarm.calendar, segments=loop.rules.segments):
        raise error
    return opened


def _replay(settings: Any, rows: int, *, as_json: bool) -> None:
    from vigie.cli.output import console, plain, print_json
    from vigie.loop.replay import replay_table
    from vigie.wiring.operate import open_look, read_source

    with open_look(settings) as loop:
        opened = _champion(loop)
        found = replay_table(loop, opened, read_source(settings), rows=rows or settings.monitoring.min_rows)
    if as_json:
        print_json(found.to_dict())
        return
    screen = console()
    screen.print(plain(found.sentence))
    for name, n_windows in sorted(found.columns.items(), key=lambda item: -item[1]):
        screen.print(f"  {plain(name)} alarmed in {n_windows} of {found.judged} windows")
    screen.print(promise(found, settings.monitoring.false_alarm_budget))


def promise(found: Any, budget: float) -> str:
    """Return what the false-alarm budget promises of windows such as those a replay judged."""
    if not found.judged:
        return f"This shows nothing of the rule, nor of its budget of {percent(budget)}."
    if found.in_time_order:
        return f"Rows in order of time are not independent: the budget of {percent(budget)} is no promise for them."
    return f"For independent rows, any alarm at all has a probability of at most {percent(budget)}."


def _live(loop: Any, opened: Any, last: str | None) -> Any:
    from vigie.domain.window import Window
    from vigie.loop.monitor import monitor, next_look, open_outcomes, open_window
    from vigie.loop.service import with_service

    window = open_window(loop, opened.version)
    outcomes = open_outcomes(loop, opened.version, window)
    if last is not None:
        now = loop.clock.now()
        window = outcomes = Window(now - length(last), now)
    report = monitor(loop, opened, window, look=next_look(loop, opened.version), outcomes=outcomes)
    return with_service(loop, report)


def _over_time(loop: Any, opened: Any, last: str, by: str) -> list[Any]:
    from vigie.cli.timeline import calendar
    from vigie.domain.window import Window
    from vigie.loop.monitor import monitor, next_look

    now, look = loop.clock.now(), next_look(loop, opened.version)
    pieces = list(calendar(Window(now - length(last), now), by))
    if len(pieces) > MOST_WINDOWS:
        problem = f"{last} by {by} are {len(pieces):,} windows, and {MOST_WINDOWS:,} are judged at most."
        raise click.BadParameter(f"{problem} Ask for a shorter stretch, or for longer windows.", param_hint="--last")
    return [monitor(loop, opened, piece, look=look) for piece in pieces]


def _backtests(loop: Any, opened: Any, settings: Any, data: str, by: str | None) -> list[Any]:
    from vigie.cli.timeline import cut
    from vigie.loop.monitor import backtests
    from vigie.wiring.operate import read_source

    table = read_source(settings, data)
    pieces = cut(table, settings.data.time, by, now=loop.clock.now())
    return backtests(loop, opened, pieces)


def _draw(loop: Any, opened: Any, settings: Any, asked: Asked, report: Any) -> None:
    """Write the page; a file that cannot be written is a usage error."""
    from vigie.loop.hours import counts_in
    from vigie.loop.picture import counts_of_table, picture
    from vigie.wiring.operate import read_source

    file = asked.html or Path()
    if asked.data:
        counts = counts_of_table(opened, read_source(settings, asked.data))
    else:
        counts = counts_in(loop, opened, report.window)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(picture(loop, opened, report, counts), encoding="utf-8")
    except OSError as error:
        raise click.BadParameter(f"{file} cannot be written: {error.strerror}", param_hint="--html") from error
    click.echo(f"The page is {file}.", err=True)


def _ask_evidently(loop: Any, opened: Any, settings: Any, asked: Asked, report: Any) -> None:
    from vigie.wiring.evidently import evidently_of_table, evidently_of_window
    from vigie.wiring.operate import read_source

    file = asked.evidently or Path()
    if asked.data:
        evidently_of_table(opened, settings, read_source(settings, asked.data), file)
    else:
        evidently_of_window(loop, opened, settings, report.window, file)
    click.echo(f"Evidently's report is {file}. Its verdicts are its own.", err=True)


def length(text: str, *, option: str = "--last") -> timedelta:
    """Return what an option says; a usage error when it says nothing."""
    from vigie.settings import parse_duration

    try:
        return parse_duration(text)
    except ValueError as exc:
        raise click.BadParameter(str(exc), param_hint=option) from exc
