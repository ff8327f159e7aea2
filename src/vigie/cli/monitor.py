"""``vigie monitor``: one window judged, or a table judged month by month."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from vigie.cli.options import json_option, project_option, settings_of
from vigie.domain.measurement import Verdict


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
@click.option("--fail-on", type=click.Choice(["alarm", "warn"]), help="Exit with 1 on this verdict or a graver one.")
def command(  # noqa: PLR0913  as many as the command has options
    project: Path,
    *,
    as_json: bool,
    last: str | None,
    data: str | None,
    by: str | None,
    replay_rows: int | None,
    fail_on: str | None,
) -> None:
    """Say how inputs, predictions and performance compare with training.

    Judges the champion's open window: from the last window that `vigie watch` closed until now. It only reads: the
    window stays open and no part of the false-alarm budget is spent.

    With --by, a line per day, week or month: of the last --last 30d, or of the table that --data names.

    --replay asks how often the rule would have alarmed where nothing is known to have changed: half of the training
    table stands for the reference, windows are cut from the other half, in order of time where data.time is named.
    """
    from vigie.cli.output import console, print_json
    from vigie.cli.report import print_report
    from vigie.loop.champion import champion_version, open_version
    from vigie.wiring.operate import open_loop

    if by and not (data or last):
        raise click.UsageError("--by goes with --data or with --last")
    settings = settings_of(project)
    if replay_rows is not None:
        _replay(settings, replay_rows, as_json=as_json)
        return
    with open_loop(settings) as loop:
        opened = open_version(loop, champion_version(loop))
        if data:
            reports = _backtests(loop, opened, settings, data, by)
        else:
            reports = _over_time(loop, opened, last, by) if last and by else [_live(loop, opened, last)]
    if as_json:
        print_json([report.to_dict() for report in reports] if data or by else reports[0].to_dict())
    elif len(reports) > 1:
        from vigie.cli.timeline import print_timeline

        print_timeline(reports, console())
    else:
        print_report(reports[0], console())
    worst = Verdict.worst(report.verdict for report in reports)
    if fail_on and list(Verdict).index(worst) >= list(Verdict).index(Verdict(fail_on)):
        sys.exit(1)


def _replay(settings: Any, rows: int, *, as_json: bool) -> None:
    from vigie.cli.output import console, plain, print_json
    from vigie.loop.champion import champion_version, open_version
    from vigie.loop.replay import replay_table
    from vigie.wiring.operate import open_loop, read_source

    with open_loop(settings) as loop:
        opened = open_version(loop, champion_version(loop))
        found = replay_table(loop, opened, read_source(settings), rows=rows or settings.monitoring.min_rows)
    if as_json:
        print_json(found.to_dict())
        return
    screen = console()
    screen.print(plain(found.sentence))
    for name, n_windows in sorted(found.columns.items(), key=lambda item: -item[1]):
        screen.print(f"  {plain(name)} alarmed in {n_windows} of {found.n_windows} windows")
    budget = f"{settings.monitoring.false_alarm_budget:.0%}"
    if found.in_time_order:
        screen.print(f"Rows in order of time are not independent: the budget of {budget} is no promise for them.")
    else:
        screen.print(f"For independent rows, any alarm at all has a probability of at most {budget}.")


def _live(loop: Any, opened: Any, last: str | None) -> Any:
    from vigie.domain.window import Window
    from vigie.loop.monitor import monitor, next_look, open_outcomes, open_window

    window = open_window(loop, opened.version)
    outcomes = open_outcomes(loop, opened.version, window)
    if last:
        now = loop.clock.now()
        window = outcomes = Window(now - length(last), now)
    return monitor(loop, opened, window, look=next_look(loop, opened.version), outcomes=outcomes)


_STEPS = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}


def _over_time(loop: Any, opened: Any, last: str, by: str) -> list[Any]:
    from vigie.domain.window import Window
    from vigie.loop.monitor import monitor, next_look

    now, look = loop.clock.now(), next_look(loop, opened.version)
    pieces = Window(now - length(last), now).split(_STEPS[by])
    return [monitor(loop, opened, piece, look=look) for piece in pieces]


def _backtests(loop: Any, opened: Any, settings: Any, data: str, by: str | None) -> list[Any]:
    from vigie.cli.timeline import cut
    from vigie.loop.monitor import backtests
    from vigie.wiring.operate import read_source

    table = read_source(settings, data)
    pieces = cut(table, settings.data.time, by, now=loop.clock.now())
    return backtests(loop, opened, pieces)


def length(text: str, *, option: str = "--last") -> timedelta:
    """Return what an option says; a usage error when it says nothing."""
    from vigie.settings import parse_duration

    try:
        return parse_duration(text)
    except ValueError as exc:
        raise click.BadParameter(f"{text!r} is not a length of time such as 30m, 6h or 7d", param_hint=option) from exc
