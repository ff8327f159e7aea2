"""``vigie alerts``: what is open, and whether the channels work."""

import os
import sys
from pathlib import Path
from typing import Any

import click

from vigie.cli.options import json_option, project_option, settings_of


@click.group("alerts", invoke_without_command=True)
@project_option
@json_option
@click.pass_context
def command(context: click.Context, project: Path, *, as_json: bool) -> None:
    """List the alerts that are open, and try the channels.

    An alert opens with an alarm, one at a time for a model, a version and a subject; it is told once, updated when it
    says something else, and resolved when all is well again or another version serves. `vigie history` has every step.
    """
    if context.invoked_subcommand is None:
        _list(settings_of(project), as_json=as_json)


@command.command("test")
@project_option
@json_option
def test(project: Path, *, as_json: bool) -> None:
    """Send a message to every channel.

    Says which of them took it; exit code 1 when one did not.
    """
    from vigie.cli.output import console, plain, print_json
    from vigie.wiring.alerting import try_channels

    found = try_channels(settings_of(project), os.environ)
    if as_json:
        print_json([{"channel": label, "delivered": not trouble, "trouble": trouble} for label, trouble in found])
    else:
        screen = console()
        for label, trouble in found:
            screen.print(f"[red]failed[/]     {plain(trouble)}" if trouble else f"[green]delivered[/]  {plain(label)}")
        if not found:
            screen.print("Nobody is told of alerts: name channels in alerting.channels or alerting.webhooks.")
    if any(trouble for _, trouble in found):
        sys.exit(1)


@command.command("secret")
def secret() -> None:
    """Print a new secret for a webhook.

    Keep it where you keep passwords; alerting.webhook_secret names the variable that holds it.
    """
    from vigie.adapters.notifiers.cloudevents import secret_of

    click.echo(secret_of(os.urandom(32)))


def _list(settings: Any, *, as_json: bool) -> None:
    from vigie.alerting.memory import open_alerts
    from vigie.cli.output import console, print_json
    from vigie.domain.event import EventKind
    from vigie.wiring.stores import open_ledger

    ledger = open_ledger(settings)
    try:
        standing = open_alerts(ledger.events(settings.project.name, kinds=(EventKind.ALERTED,)))
    finally:
        ledger.close()
    if as_json:
        print_json([alert.to_dict() for alert in standing])
    elif standing:
        _print(standing)
    else:
        console().print(f"No alert of {settings.project.name} is open.")


def _print(standing: list[Any]) -> None:
    from vigie.cli.output import console, plain, table
    from vigie.cli.sheet import Columns

    rows = [
        (
            alert.latest.subject.severity.value,
            alert.latest.version or "-",
            f"{alert.opened_at:%Y-%m-%d %H:%M}",
            f"{alert.told_at:%Y-%m-%d %H:%M}" if alert.told_at else "not yet",
            plain(alert.latest.title),
        )
        for alert in standing
    ]
    names = ("severity", "version", "open since (UTC)", "told", "what")
    columns: Columns = [(name, "left") for name in names]
    console().print(table("Open alerts", columns, rows))
