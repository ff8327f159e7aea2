"""``vigie init``: a project of one's own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from vigie.cli.options import json_option


@click.command("init")
@click.argument("folder", metavar="NAME", type=click.Path(path_type=Path))
@click.option("--example", type=click.Choice(["churn"]), help="Start with invented customers, ready to run.")
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
@json_option
def command(folder: Path, *, example: str | None, dry_run: bool, as_json: bool) -> None:
    """Write a project of your own: settings, tests, notebook, CI, containers.

    NAME is the new folder; its last part names the project and its model. Nothing is ever overwritten. Secrets of this
    machine go to .env, which git ignores. Without --example, put a table in data/ and name its target in vigie.toml.

    Then: cd NAME, make setup, make demo-once, make test.
    """
    from vigie.wiring.new_project import existing, plan_project, write_project

    files = plan_project(folder.resolve().name, example)
    taken = existing(folder, files)
    if not dry_run:
        write_project(folder, files)
    if as_json:
        _print_json(folder, files, taken, dry_run=dry_run)
    else:
        _tell(folder, files, taken, dry_run=dry_run, example=example)


def _print_json(folder: Path, files: Sequence[Any], taken: Sequence[str], *, dry_run: bool) -> None:
    from vigie.cli.output import print_json

    listed = [{"path": file.path, "purpose": file.purpose, "exists": file.path in taken} for file in files]
    print_json({"folder": str(folder), "written": not dry_run, "files": listed})


def _tell(folder: Path, files: Sequence[Any], taken: Sequence[str], *, dry_run: bool, example: str | None) -> None:
    from vigie.cli.output import console, plain, table

    screen, where = console(), plain(str(folder))
    if dry_run:
        rows = [
            (plain(file.path), f"{'[yellow]exists[/] ' if file.path in taken else ''}{file.purpose}") for file in files
        ]
        title = f"{len(files)} files would be written to {where}"
        screen.print(table(title, [("file", "left"), ("what for", "left")], rows))
        if taken:
            screen.print("\nNothing is ever overwritten: without --dry-run this would be refused.")
        return
    screen.print(f"{len(files)} files were written to {where}; its README says what each is for.\n")
    if example:
        screen.print(f"Next: cd {where} && make setup demo-once test")
        screen.print("Then, for real: make train serve")
    else:
        screen.print(f"Next: put a table in {where}/data, name its target in vigie.toml;")
        screen.print(f"then cd {where} && make setup train")
