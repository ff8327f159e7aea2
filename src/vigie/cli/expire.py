"""``vigie expire``: predictions go by age."""

from pathlib import Path
from typing import Any

import click

from vigie.cli.options import json_option, project_option, settings_of


@click.command("expire")
@project_option
@click.option("--keep", metavar="LENGTH", help="Keep the last 90d, 26w …  [default: stores.keep]")
@click.option("--dry-run", is_flag=True, help="Say what would go, and change nothing.")
@json_option
def command(project: Path, *, keep: str | None, dry_run: bool, as_json: bool) -> None:
    """Delete predictions that are older than stores.keep.

    Whole days go (UTC), with their outcomes, and outcomes as old that never found their prediction. `vigie watch` does
    it by itself, after each turn, when stores.keep is set; without it, everything is kept for ever. Small steps: a
    server that is writing hardly notices. Files of `vigie export` are not touched: export first what you want to keep.
    """
    from vigie.cli.monitor import length
    from vigie.cli.output import console, counted, print_json
    from vigie.errors import ConfigurationError
    from vigie.wiring.keeping import count_expired, expire_project

    settings = settings_of(project)
    kept = length(keep, option="--keep") if keep is not None else settings.stores.keep
    if kept is None:
        raise ConfigurationError(
            "Nothing says how long predictions are kept, so they are kept for ever.",
            key="stores.keep",
            remedy='Set it, such as keep = "90d", or give --keep.',
        )
    before, n = count_expired(settings, kept)
    gone: Any = None if dry_run else expire_project(settings, kept)
    if as_json:
        counts = {"predictions": gone.predictions, "outcomes": gone.outcomes, "orphans": gone.orphans} if gone else {}
        print_json({"before": before.isoformat(), "dry_run": dry_run, "predictions": n, **counts})
        return
    verb = "would be" if dry_run else "were"
    n = gone.predictions if gone else n
    console().print(f"[bold]{counted(n, 'prediction')}[/] made before {before:%Y-%m-%d} {verb} deleted.")
    if gone:
        console().print(f"{counted(gone.outcomes, 'outcome')} went with them, and {gone.orphans:,} that had none.")
