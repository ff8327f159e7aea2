"""``vigie watch``: the loop, turn after turn."""

import sys
from pathlib import Path
from typing import Any

import click

from vigie.cli.options import json_option, project_option, settings_of


@click.command("watch")
@project_option
@json_option
@click.option(
    "--once", is_flag=True, help="Take one turn and end: 1 on a confirmed alarm that no promotion answered, else 0."
)
@click.option("--every", metavar="LENGTH", help="Time between two turns.  [default: monitoring.every]")
def command(project: Path, *, as_json: bool, once: bool, every: str | None) -> None:
    """Look again and again: monitor, retrain, gate, promote.

    A turn judges the champion's open window. With fewer than monitoring.min_rows predictions the window stays open
    and goes on filling. An alarm is told and recorded; when the retrain policy says so a challenger is trained on
    recent outcomes, and the gate decides on it. For cron and CI: vigie watch --once.
    """
    from vigie.cli.monitor import check_season, length
    from vigie.wiring.logs import log_to_stderr
    from vigie.wiring.watch import watch

    log_to_stderr()
    settings = settings_of(project)
    pause = length(every, option="--every") if every is not None else settings.monitoring.every
    check_season(settings, pause, option="--every")
    for turn in watch(settings, pause=None if once else pause):
        _tell(turn, as_json=as_json)
        if once and turn.needs_attention:
            sys.exit(1)


def _tell(turn: Any, *, as_json: bool) -> None:
    from vigie.cli.output import console, print_json
    from vigie.cli.report import print_report
    from vigie.cli.turns import print_turn, turn_json

    if as_json:
        print_json(turn_json(turn))
        return
    screen = console()
    print_report(turn.report, screen)
    print_turn(turn, screen)
