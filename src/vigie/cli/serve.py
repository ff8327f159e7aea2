"""``vigie serve``: the HTTP service."""

from dataclasses import replace
from pathlib import Path

import click

from vigie.cli.options import project_option, settings_of


@click.command("serve")
@project_option
@click.option("--host", help="Address to listen on.  [default: serving.host]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on.  [default: serving.port]")
@click.option("--insecure", is_flag=True, help="Listen beyond this machine without keys or TLS all the same.")
def command(project: Path, host: str | None, port: int | None, *, insecure: bool) -> None:
    """Serve the champion over HTTP.

    POST /predict answers one object or an array; POST /feedback takes outcomes; /docs shows the model's own features.
    Every prediction is in the prediction log before its answer leaves. The server follows the champion alias without
    a restart and goes on serving while the registry is away.

    Beyond this machine it listens only with an access key (see `vigie keys new`) and TLS, unless told --insecure.
    """
    from vigie.wiring.logs import start_log
    from vigie.wiring.serve import serve

    settings = settings_of(project)
    serving = settings.serving
    start_log(serving.log_format, requests=serving.log_requests)
    chosen = replace(serving, host=host or serving.host, port=serving.port if port is None else port)
    access = replace(settings.access, insecure=insecure or settings.access.insecure)
    serve(replace(settings, serving=chosen, access=access))
