"""Events of the ledger in a terminal, one a line."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from vigie.cli.output import plain
from vigie.domain.event import Event


def print_events(events: Sequence[Event], screen: Console, *, reasons: bool = True) -> None:
    """Print events, one a line, with their reasons below."""
    told = Table.grid(padding=(0, 2, 0, 0))
    for event in events:
        told.add_row(f"[dim]{event.at:%Y-%m-%d %H:%M:%S}[/]", event.kind.value, f"[bold]{plain(event.summary)}[/]")
        for reason in event.reasons if reasons else ():
            told.add_row("", "", f"[dim]{plain(reason)}[/]")
    screen.print(told)
