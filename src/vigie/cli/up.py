"""``vigie up``: server and watcher together."""

import sys
from pathlib import Path

import click

from vigie.cli.options import project_option, settings_of


@click.command("up")
@project_option
@click.option("--host", help="Address to listen on.  [default: serving.host]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on.  [default: serving.port]")
@click.option("--insecure", is_flag=True, help="Listen beyond this machine without keys or TLS all the same.")
@click.option("--every", metavar="LENGTH", help="Time between two looks.  [default: monitoring.every]")
def command(project: Path, host: str | None, port: int | None, every: str | None, *, insecure: bool) -> None:
    """Run the server and the watcher together.

    Ctrl-C or SIGTERM ends both cleanly: requests under way are answered, logs are closed. On Linux both end as cleanly
    when this process is killed.
    """
    from vigie.cli.monitor import check_season, length
    from vigie.wiring.logs import log_to_stderr
    from vigie.wiring.up import up

    log_to_stderr()
    settings = settings_of(project)
    if every is not None:  # else a server would be started before its watcher refuses it
        check_season(settings, length(every, option="--every"), option="--every")
    serve = [*(["--host", host] if host else []), *(["--port", str(port)] if port is not None else [])]
    serve += ["--insecure"] if insecure else []
    sys.exit(up(settings.file, serve=serve, watch=["--every", every] if every else []))
