"""``vigie retrain``: a challenger on recent outcomes, and the gate."""

import sys
from pathlib import Path
from typing import Any

import click

from vigie.cli.options import json_option, project_option, settings_of


@click.command("retrain")
@project_option
@json_option
@click.option(
    "--last", metavar="LENGTH", help="Learn from the outcomes of the last 6h, 7d …  [default: all of the champion's]"
)
@click.option("--promote/--no-promote", "may_promote", default=True, help="Whether the gate may put it in place.")
@click.option("--fail-on-hold", is_flag=True, help="Exit with 1 when the gate holds the challenger.")
def command(project: Path, *, as_json: bool, last: str | None, may_promote: bool, fail_on_hold: bool) -> None:
    """Train a challenger on recent outcomes and weigh it against the champion.

    Learns from logged predictions whose outcome came back. The earlier ones train, the later ones judge both models,
    row by row; the challenger is promoted when the lower end of the interval of its gain is above gate.margin.
    """
    from vigie.adapters.git import current_commit
    from vigie.cli.output import fit_progress
    from vigie.loop.champion import champion_version, open_version
    from vigie.loop.origin import Origin
    from vigie.loop.promote import Move, promote
    from vigie.loop.report import report
    from vigie.loop.retrain import retrain
    from vigie.wiring.operate import open_loop, owner

    settings = settings_of(project)
    with open_loop(settings) as loop:
        champion = open_version(loop, champion_version(loop))
        origin = Origin("prediction log", current_commit(settings.folder), "vigie retrain")
        rows = loop.log.rows(loop.model, champion.schema, _window(loop, last), version=champion.version)
        with fit_progress(quiet=as_json) as progress:
            challenge = retrain(loop, champion, rows, origin=origin, progress=progress)
        gate, version = challenge.decision, challenge.version.version
        if gate.promote and may_promote:
            move = Move(version, expected=champion.version, reasons=gate.reasons, evidence=gate.to_dict())
            promote(loop, move, owner=owner())
        if settings.retraining.report:
            with fit_progress(quiet=as_json, doing="Reporting") as progress:
                made = report(loop, challenge.trained, origin=origin, keep=True, progress=progress)
            if made.trouble:
                click.echo(f"vigie: warning: {made.trouble}", err=True)
    _tell(
        {
            "champion": champion.version,
            "challenger": version,
            "promoted": gate.promote and may_promote,
            **gate.to_dict(),
        },
        challenge,
        as_json=as_json,
    )
    if fail_on_hold and not gate.promote:
        sys.exit(1)


def _tell(found: dict[str, Any], challenge: Any, *, as_json: bool) -> None:
    from vigie.cli.leaderboard import print_leaderboard
    from vigie.cli.output import console, plain, print_json

    if as_json:
        print_json(found)
        return
    print_leaderboard(challenge.trained)
    screen = console()
    screen.print()
    screen.print(f"[bold]Gate: {found['verdict']}.[/] {plain(found['reasons'][0])}")
    if found["promoted"]:
        screen.print(f"[bold]Version {found['challenger']} is the champion.[/] Go back with: vigie rollback")
    elif found["verdict"] == "promote":
        screen.print(f"To put it in place: vigie promote {found['challenger']}")


def _window(loop: Any, last: str | None) -> Any:
    from vigie.cli.monitor import length
    from vigie.domain.window import Window

    now = loop.clock.now()
    start = now.replace(year=2000) if last is None else now - length(last)
    return Window(start, now)
