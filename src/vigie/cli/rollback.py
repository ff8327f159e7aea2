"""``vigie rollback``: back to the champion before."""

from pathlib import Path

import click

from vigie.cli.options import project_option, settings_of


@click.command("rollback")
@project_option
@click.option("--reason", default="By hand.", show_default=True, help="Why; kept in the ledger.")
def command(project: Path, reason: str) -> None:
    """Go back one champion.

    Running it twice goes back two. Running servers follow within a second or two, without a restart.
    """
    from vigie.loop.rollback import rollback
    from vigie.wiring.operate import open_loop, owner

    with open_loop(settings_of(project)) as loop:
        event = rollback(loop, owner=owner(), reason=reason)
    click.echo(event.summary)
