"""``vigie serve``: the HTTP service."""

from dataclasses import replace
from pathlib import Path

import click

from vigie.cli.options import project_option, settings_of


@click.command("serve")
@project_option
@click.option("--host", help="Address to listen on.  [default: serving.host]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on.  [default: serving.port]")
def command(project: Path, host: str | None, port: int | None) -> None:
    """Serve the champion over HTTP.

    POST /predict answers one object or an array; POST /feedback takes outcomes; /docs shows the model's own features.
    Every prediction is in the prediction log before its answer leaves. The server follows the champion alias without
    a restart and goes on serving while the registry is away.
    """
    from vigie.cli.logs import log_to_stderr
    from vigie.wiring.serve import serve

    log_to_stderr()
    settings = settings_of(project)
    serving = settings.serving
    chosen = replace(serving, host=host or serving.host, port=serving.port if port is None else port)
    serve(replace(settings, serving=chosen))
