"""Two versions side by side in a terminal."""

from rich.console import Console

from vigie.cli.output import counted, measured, number, plain, table
from vigie.cli.sheet import Columns
from vigie.domain.measurement import Measurement
from vigie.loop.compare import ReadOut, Side, at_every_look
from vigie.reporting.wording import unit_name


def print_comparison(read: ReadOut, screen: Console) -> None:
    """Print what was found, then each version's metrics, coverage and delay."""
    screen.print(plain(read.reason))
    if read.window is None:
        return
    screen.print(f"both answered from {read.window.told}")
    if read.worth is not None:
        low, high = (number(end, read.unit) for end in (read.worth.interval.low, read.worth.interval.high))
        screen.print(
            f"value: version {read.second.version} brings {number(read.worth.mean, read.unit)} "
            f"{plain(unit_name(read.unit))} more [{low}, {high}; {at_every_look(read.worth)}]"
        )
    screen.print()
    columns: Columns = [
        ("metric", "left"),
        (f"version {read.first.version} [95 %]", "right"),
        ("n", "right"),
        (f"version {read.second.version} [95 %]", "right"),
        ("n", "right"),
    ]
    pairs = zip(_shown(read.first), _shown(read.second), strict=False)
    rows = [
        (_named(first), measured(first), f"{first.n:,}", measured(second), f"{second.n:,}") for first, second in pairs
    ]
    screen.print(table("Realised, each by itself (intervals for one look)", columns, rows))
    screen.print()
    if read.turns:
        screen.print(
            f"[yellow]Note:[/] in that time one took the other's place as champion {counted(read.turns, 'time')}. The "
            "clock decided who answered, not chance: what differs may be the times."
        )
    else:
        screen.print(
            "[dim]The comparison holds where chance decided who answered: a split, not a change of champion.[/]"
        )


def _named(item: Measurement) -> str:
    return item.name if item.unit == "1" else f"{item.name} ({unit_name(item.unit)})"


def _shown(side: Side) -> tuple[Measurement, ...]:
    return (*side.metrics, side.coverage, side.delay)
