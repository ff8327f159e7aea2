"""``vigie train``: the leaderboard, and what became of the winner."""

import sys
from pathlib import Path
from typing import Any

import click

from vigie.cli.options import json_option, project_option, settings_of


@click.command("train")
@project_option
@json_option
@click.option(
    "--report",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the training report to FILE too, one HTML page that works offline.",
)
@click.option("--no-report", is_flag=True, help="Keep no report with the run in MLflow; saves 4 to 15 s.")
@click.option("--fail-on-refusal", is_flag=True, help="Exit with 1 when the winner does not beat the dummy.")
def command(project: Path, *, as_json: bool, file: Path | None, no_report: bool, fail_on_refusal: bool) -> None:
    """Train the candidates, compare them and register the best.

    Reads the table that data.source names, keeps to schema.toml (written at the first training, yours to edit),
    fits scalers on training rows only, and records every candidate as an MLflow run, with the training report on the
    run above them. The first version becomes the champion if it beats a model that looks at no feature; later ones
    wait for `vigie promote`.
    """
    from vigie.cli.leaderboard import leaderboard_json, print_leaderboard
    from vigie.cli.output import fit_progress, print_json
    from vigie.loop.register import register
    from vigie.wiring.operate import open_loop, owner, train_project, training_table

    settings = settings_of(project)
    keep = settings.training.report and not no_report
    table = training_table(settings)
    with open_loop(settings) as loop:
        with fit_progress(quiet=as_json) as progress:
            trained = train_project(loop, settings, table, progress=progress)
        registered = register(loop, trained, owner=owner())
        told = _report(loop, trained, settings, keep=keep, file=file, quiet=as_json)
    outcome: dict[str, Any] = {
        "version": registered.version.version if registered.version else None,
        "champion": registered.champion,
        "held": registered.held,
        "gate_against_dummy": registered.decision.to_dict(),
    }
    if as_json:
        print_json({**leaderboard_json(trained), **outcome})
    else:
        print_leaderboard(trained)
        print_outcome(settings.project.name, outcome)
        if told:
            click.echo(told)
    if fail_on_refusal and registered.version is None:
        sys.exit(1)


def _report(loop: Any, trained: Any, settings: Any, *, keep: bool, file: Path | None, quiet: bool) -> str:
    """Make the report that is wanted, if any; warn of what went wrong, and return where it is."""
    if not keep and file is None:
        return ""
    from vigie.cli.output import fit_progress
    from vigie.loop.report import report
    from vigie.wiring.operate import origin_of

    with fit_progress(quiet=quiet, doing="Reporting") as progress:
        made = report(loop, trained, origin=origin_of(settings), keep=keep, progress=progress)
    trouble = made.trouble
    if file is not None and made.page is not None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(made.page, encoding="utf-8")
        except OSError as error:
            trouble = f"{trouble} {file} could not be written: {error.strerror}.".strip()
    if trouble:
        click.echo(f"vigie: warning: {trouble} The training itself is done.", err=True)
        return ""
    return f"The training report is {file}." if file else "The training report is in MLflow, with the run."


def print_outcome(name: str, outcome: dict[str, Any]) -> None:
    """Say which version was registered, and whether it serves."""
    from vigie.cli.output import console, plain

    screen = console()
    version, champion = outcome["version"], outcome["champion"]
    screen.print()
    reason = plain(outcome["gate_against_dummy"]["reasons"][0])
    if version is None:
        screen.print(f"[bold]Refused[/]: {reason}")
        screen.print("No version was registered. More rows, or columns that tell more of the outcome, may change that.")
        return
    screen.print(reason)
    if champion == version:
        screen.print(f"[bold]{name} version {version} is the champion.[/] Serve it: vigie serve")
    elif champion is None:
        screen.print(f"[bold]{name} version {version} is registered, but does not serve.[/] {plain(outcome['held'])}")
        screen.print(f"To put it in place then: vigie promote {version}")
    else:
        screen.print(f"[bold]{name} version {version} is registered[/]; version {champion} goes on serving.")
        if outcome["held"]:
            screen.print(plain(outcome["held"]))
        screen.print(f"To put it in place{' then' if outcome['held'] else ''}: vigie promote {version}")
