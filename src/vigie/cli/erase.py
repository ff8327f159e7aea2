"""``vigie erase``: one entity is forgotten."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from vigie.cli.exits import ALARM
from vigie.cli.options import json_option, project_option, settings_of


@click.command("erase")
@project_option
@click.option("--entity", required=True, metavar="ID", help="Whom: the value of data.entity.")
@click.option("--dry-run", is_flag=True, help="Say what there is, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--also",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="FOLDER",
    multiple=True,
    help="A folder of exports that was moved or copied; may be given several times.",
)
@json_option
def command(project: Path, *, entity: str, dry_run: bool, yes: bool, also: tuple[Path, ...], as_json: bool) -> None:
    """Delete all that is known of one entity, and prove it.

    Its predictions, their outcomes and the answers kept for retries leave the log; every file that `vigie export`
    wrote is rewritten without it. Then the bytes of the log's files are searched: none may be left. The ledger keeps
    when, how much, and a salted hash, never the ID. Interrupted, run it again.

    What stays: models that learnt from its rows, backups, and copies that Vigie does not know of. Exits with 1 when a
    folder of exports is not where it was.
    """
    from vigie.cli.output import console, plain, print_json
    from vigie.wiring.keeping import erase_from_project, find_in_project

    settings = settings_of(project)
    found = find_in_project(settings, entity, also)
    if not dry_run:
        if not yes:
            click.confirm(f"{_told(found)}. Erase this for good?", abort=True, err=True)
        found = erase_from_project(settings, entity, also)
    if as_json:
        held = {**asdict(found.held), "files": list(found.files), "missing_folders": list(found.missing)}
        print_json({"erased": not dry_run, **held})
    else:
        screen = console()
        screen.print(f"{_told(found)}.")
        for file in found.files:
            screen.print(f"  {plain(file)}", soft_wrap=True)
        screen.print(
            "Nothing was changed." if dry_run else "[bold]Erased[/]: no byte of it is left in the log's files."
        )
        for folder in found.missing:
            line = f"[bold]Not found[/]: {plain(folder)}. Copies went there; give it with --also if it was moved."
            screen.print(line, soft_wrap=True)
    if found.missing:
        sys.exit(ALARM)


def _told(found: Any) -> str:
    from vigie.cli.output import counted

    held = found.held
    return (
        f"{counted(held.predictions, 'prediction')}, {counted(held.outcomes, 'outcome')}, "
        f"{counted(held.replays, 'kept answer')} and {counted(len(found.files), 'exported file')}"
    )
