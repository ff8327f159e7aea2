"""``vigie fetch``: the champion's bundle for an image."""

from pathlib import Path

import click

from vigie.cli.options import json_option, project_option, settings_of


@click.command("fetch")
@project_option
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("models"),
    metavar="FOLDER",
    help="Where to keep it.  [default: models]",
)
@json_option
def command(project: Path, folder: Path, *, as_json: bool) -> None:
    """Bring the champion's bundle to a folder, for an image to take along.

    A server whose state folder has it as `bundles` starts without a registry: in a Dockerfile, COPY models/
    .vigie/bundles/. Where a registry answers, the server follows its champion all the same.
    """
    from vigie.cli.output import console, plain, print_json
    from vigie.wiring.fetch import fetch_champion

    settings = settings_of(project)
    version = fetch_champion(settings, folder)
    if as_json:
        print_json({"model": settings.project.name, "version": version, "folder": str(folder)})
        return
    console().print(f"[bold]{settings.project.name} version {version}[/] is in {plain(str(folder))}.")
