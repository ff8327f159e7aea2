"""``vigie export``: the prediction log as Parquet files."""

from datetime import datetime
from pathlib import Path

import click

from vigie.cli.options import json_option, project_option, settings_of

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command("export")
@project_option
@click.option("--since", type=_DAY, metavar="DAY", help="First day, such as 2026-01-31 (UTC).  [default: the first]")
@click.option("--until", type=_DAY, metavar="DAY", help="Last day, itself included (UTC).  [default: today]")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Where the files go.  [default: exports/ in stores.root]",
)
@json_option
def command(project: Path, *, since: datetime | None, until: datetime | None, out: Path | None, as_json: bool) -> None:
    """Copy the prediction log to Parquet files, a day each.

    Answers, features and outcomes side by side, under FOLDER/model=NAME/day=2026-01-31/. Run it as often as you like:
    a day is written anew only when its predictions or their outcomes changed, each file whole or not at all. What
    stores.keep has deleted from the log stays in files that were written before.

    The folder is remembered: `vigie erase` looks there too.
    """
    from vigie.cli.output import console, counted, fit_progress, plain, print_json
    from vigie.loop.export import Days
    from vigie.wiring.keeping import export_project

    if since and until and until < since:
        raise click.UsageError("--until comes before --since")
    days = Days(since.date() if since else None, until.date() if until else None)
    settings = settings_of(project)
    with fit_progress(quiet=as_json, doing="Exporting") as progress:
        folder, done = export_project(settings, out, days, progress)
    if as_json:
        print_json(
            {
                "folder": str(folder),
                "files_written": done.written,
                "files_unchanged": done.unchanged,
                "rows_written": done.rows_written,
                "rows_unchanged": done.rows_unchanged,
            }
        )
        return
    screen = console()
    if not done.written + done.unchanged:
        screen.print("No prediction is logged in these days.")
        return
    files, kept = counted(done.written, "file"), counted(done.unchanged, "file")
    screen.print(f"[bold]{files}[/] written with {counted(done.rows_written, 'prediction')}; {kept} up to date.")
    screen.print(plain(str(folder)), soft_wrap=True)
