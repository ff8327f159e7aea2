"""``vigie predict``: a table scored offline."""

from pathlib import Path
from typing import Any

import click

from vigie.cli.options import json_option, project_option, settings_of


@click.command("predict")
@click.argument("table")
@project_option
@json_option
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write .csv or .parquet.")
@click.option("--version", default="champion", show_default=True, help="Number or alias of the version to ask.")
def command(table: str, project: Path, *, as_json: bool, out: Path | None, version: str) -> None:
    """Score a table with the champion, offline.

    TABLE is whatever data.source may be: CSV, Parquet, a folder, a database URL, package.module:function. It holds the
    model's features, and may hold the entity and columns that are not looked at, the target among them.

    Writes one line a row: the entity (or the row's number), the prediction, and for classes its probability. Without
    --out, as CSV to standard output. The answers are those of the server, by the same scorer, but they are not in the
    prediction log: monitoring and feedback do not know of them.
    """
    from vigie.adapters.tables.output import check_output, writing_table
    from vigie.cli.output import console, counted, plain, print_json, row_progress
    from vigie.domain.model import CHAMPION
    from vigie.errors import ModelNotFoundError
    from vigie.loop.champion import champion_version
    from vigie.loop.open_bundle import open_bundle
    from vigie.loop.score import score
    from vigie.loop.tabular import told_cautions, unknown_columns
    from vigie.wiring.operate import open_loop, read_source
    from vigie.wiring.registered import fetch
    from vigie.wiring.state import trust_of

    if as_json and out is None:
        raise click.UsageError("--json tells about the file that --out names; without --out the answers are printed")
    if out is not None:
        check_output(out)
    settings = settings_of(project)
    rows = read_source(settings, table)
    try:
        members, number = fetch(settings.tracking_uri, settings.project.name, version)
    except ModelNotFoundError:
        if version == CHAMPION:
            with open_loop(settings) as loop:
                champion_version(loop)  # says what became of the trainings so far
        raise
    model = open_bundle(members, version=number, trust=trust_of(settings.bundle))
    warnings: list[Any] = []
    with row_progress(rows.num_rows, quiet=as_json or out is None) as progress, writing_table(out) as writer:
        for chunk in score(model, rows):
            writer.write(chunk.answers)
            warnings.extend(chunk.warnings)
            progress(len(warnings))
    cautions, unused = told_cautions(warnings), unknown_columns(rows, model.schema)
    if as_json:
        told = {"model": model.name, "version": number, "rows": rows.num_rows, "out": str(out)}
        print_json({**told, "scorer": model.scorer_kind, "warnings": cautions, "unused_columns": unused})
        return
    screen = console(error=out is None)
    if unused:
        screen.print(f"Not looked at: {plain(', '.join(unused))}.")
    for sentence in cautions:
        screen.print(f"[yellow]Note:[/] {plain(sentence)}")
    where = f"written to {out}" if out else "printed"
    screen.print(f"{counted(rows.num_rows, 'answer')} of {model.name} version {number} {plain(where)}; none is logged.")
