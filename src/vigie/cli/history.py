"""``vigie history``: the ledger, told."""

from pathlib import Path
from typing import Any

import click

from vigie.cli.options import json_option, project_option, settings_of


@click.command("history")
@project_option
@json_option
@click.option("-n", "--last", type=click.IntRange(min=1), default=50, show_default=True, help="Events to show.")
def command(project: Path, *, as_json: bool, last: int) -> None:
    """Tell what the loop did, and why.

    Every training, alert, retraining, gate decision, promotion and roll-back, with its reasons, oldest first.
    """
    from vigie.cli.output import console, print_json
    from vigie.wiring.stores import open_ledger

    settings = settings_of(project)
    ledger = open_ledger(settings)
    try:
        events = ledger.events(settings.project.name)[-last:]
    finally:
        ledger.close()
    if as_json:
        print_json([event_json(event) for event in events])
        return
    screen = console()
    if events:
        print_events(events, screen)
    else:
        screen.print(f"Nothing happened to {settings.project.name} yet. Start with: vigie train")


def print_events(events: list[Any], screen: Any, *, reasons: bool = True) -> None:
    """Print events, one a line, with their reasons below."""
    from rich.table import Table

    from vigie.cli.output import plain

    told = Table.grid(padding=(0, 2, 0, 0))
    for event in events:
        told.add_row(f"[dim]{event.at:%Y-%m-%d %H:%M:%S}[/]", event.kind.value, f"[bold]{plain(event.summary)}[/]")
        for reason in event.reasons if reasons else ():
            told.add_row("", "", f"[dim]{plain(reason)}[/]")
    screen.print(told)


def event_json(event: Any) -> dict[str, Any]:
    """Return one event as plain JSON values."""
    return {
        "seq": event.seq,
        "kind": event.kind.value,
        "at": event.at.isoformat(),
        "model": event.model,
        "version": event.version,
        "summary": event.summary,
        "reasons": list(event.reasons),
        "evidence": dict(event.evidence),
    }
