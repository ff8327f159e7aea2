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
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the training report, one HTML page that works offline (takes some seconds; needs the extra `report`).",
)
@click.option("--fail-on-refusal", is_flag=True, help="Exit with 1 when the winner does not beat the dummy.")
def command(project: Path, *, as_json: bool, report: Path | None, fail_on_refusal: bool) -> None:
    """Train the candidates, compare them and register the best.

    Reads the table that data.source names, keeps to schema.toml (written at the first training, yours to edit),
    fits scalers on training rows only, and records every candidate as an MLflow run. The first version becomes the
    champion if it beats a model that looks at no feature; later ones wait for `vigie promote`.
    """
    from vigie.cli.leaderboard import leaderboard_json, print_leaderboard
    from vigie.cli.output import fit_progress, print_json
    from vigie.loop.register import register
    from vigie.wiring.operate import open_loop, owner, train_project

    settings = settings_of(project)
    with open_loop(settings) as loop:
        with fit_progress(quiet=as_json) as progress:
            trained = train_project(loop, settings, progress=progress)
        registered = register(loop, trained, owner=owner())
        if report:
            _write_report(loop, trained, settings, report, quiet=as_json)
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
        if report:
            click.echo(f"The training report is {report}.")
    if fail_on_refusal and registered.version is None:
        sys.exit(1)


def _write_report(loop: Any, trained: Any, settings: Any, file: Path, *, quiet: bool) -> None:
    from vigie.cli.output import fit_progress
    from vigie.errors import ConfigurationError
    from vigie.wiring.operate import origin_of

    try:
        from vigie.loop.report import training_page
    except ModuleNotFoundError as exc:
        raise ConfigurationError(
            f"The report needs {exc.name}.", remedy="Install it with: pip install 'vigie[report]'", key="--report"
        ) from exc
    with fit_progress(quiet=quiet) as progress:
        page = training_page(loop, trained, origin=origin_of(settings), progress=progress)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(page, encoding="utf-8")


def print_outcome(name: str, outcome: dict[str, Any]) -> None:
    """Say which version was registered, and whether it serves."""
    from vigie.cli.output import console, plain

    screen = console()
    version, champion = outcome["version"], outcome["champion"]
    screen.print()
    reason = plain(outcome["gate_against_dummy"]["reasons"][0])
    if version is None:
        screen.print(f"[bold]Refused[/]: {reason}")
        return
    screen.print(reason)
    if champion == version:
        screen.print(f"[bold]{name} version {version} is the champion.[/] Serve it: vigie serve")
    elif champion is None:
        screen.print(f"[bold]{name} version {version} is registered, but does not serve.[/] {plain(outcome['held'])}")
        screen.print(f"To put it in place then: vigie promote {version}")
    else:
        screen.print(f"[bold]{name} version {version} is registered[/]; version {champion} goes on serving.")
        screen.print(f"To put it in place: vigie promote {version}")
