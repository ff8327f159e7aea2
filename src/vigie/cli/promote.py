"""``vigie promote``: a person moves the alias."""

from pathlib import Path

import click

from vigie.cli.options import project_option, settings_of


@click.command("promote")
@click.argument("version")
@project_option
@click.option("--reason", default="By hand.", show_default=True, help="Why; kept in the ledger.")
def command(version: str, project: Path, reason: str) -> None:
    """Make a version the champion.

    VERSION is a number, or an alias such as challenger. Running servers follow within a second or two, without a
    restart.
    """
    from vigie.domain.model import CHAMPION
    from vigie.loop.promote import Move, promote
    from vigie.wiring.operate import open_loop, owner

    settings = settings_of(project)
    with open_loop(settings) as loop:
        found = loop.registry.version(loop.model, version).version
        current = loop.registry.alias(loop.model, CHAMPION)
        if found == current:
            click.echo(f"Version {found} is the champion already.")
            return
        event = promote(loop, Move(found, expected=current, reasons=(reason,)), owner=owner())
    click.echo(event.summary)
