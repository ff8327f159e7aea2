"""``vigie follow``: bring the champion's bundle to where a server without MLflow reads it."""

from pathlib import Path

import click

from vigie.cli.options import project_option, settings_of


@click.command("follow")
@project_option
@click.option("--once", is_flag=True, help="Bring it once and end; with code 5 where there is no champion.")
def command(project: Path, *, once: bool) -> None:
    """Bring the champion's bundle to the server's cache.

    `vigie serve` does this by itself wherever MLflow is installed. A serving image has no MLflow: run this beside it,
    with the same state folder, and the server follows the champion as ever. With --once before an image is built, the
    model is baked in.
    """
    from vigie.wiring.follow import bring, follow
    from vigie.wiring.logs import start_log

    settings = settings_of(project)
    if once:
        click.echo(f"{settings.project.name}: version {bring(settings)} is in the cache.")
        return
    start_log(settings.serving.log_format, requests=False)
    follow(settings)
