"""What became of a model that was fitted elsewhere, in a terminal and as JSON."""

from typing import Any

from rich.console import Console

from vigie.bundle.card import IN_SAMPLE
from vigie.cli.output import counted, number, plain, table
from vigie.cli.sheet import Columns
from vigie.domain.measurement import Measurement
from vigie.domain.task import Task
from vigie.loop.adopt import NOT_JUDGED, Adopted


def adopted_json(found: Adopted) -> dict[str, Any]:
    """Return plain JSON values; figures on the model's own training rows are named ``in_sample_…``."""
    schema = found.dataset.schema
    return {
        "model": found.name,
        "version": found.version.version if found.version else None,
        "run_id": found.version.run_id if found.version else None,
        "champion": found.champion,
        "task": schema.target.task.value,
        "target": schema.target.name,
        "rows": len(found.dataset),
        "features": list(schema.names),
        "scorer": found.scorer,
        "judged": found.decision is not None,
        "metrics": {item.name: item.to_dict() for item in found.metrics},
        "gate_against_dummy": found.decision.to_dict() if found.decision else None,
        "notes": list(found.notes),
    }


def print_adopted(name: str, found: Adopted, screen: Console) -> None:
    """Print what was read, what was measured and on which rows, and what serves now."""
    target = found.dataset.schema.target
    classes = f", positive class {target.positive!r}" if target.task is Task.BINARY else ""
    screen.print(
        f"{plain(found.name)}, fitted elsewhere on {counted(len(found.dataset), 'row')} and "
        f"{counted(len(found.dataset.schema.features), 'feature')}; {target.task.value} target "
        f"{plain(repr(target.name))}{plain(classes)}"
    )
    screen.print(f"The bundle answers every one of these rows as the model does (scorer: {found.scorer}).")
    for note in found.notes:
        screen.print(f"[yellow]Note:[/] {plain(note)}")
    screen.print()
    _print_metrics(found, screen)
    screen.print()
    screen.print(plain(found.decision.reasons[0]) if found.decision else f"[yellow]{NOT_JUDGED}[/]")
    _print_version(name, found, screen)


def _print_metrics(found: Adopted, screen: Console) -> None:
    own = {item.name.removeprefix(IN_SAMPLE): item for item in found.metrics if item.name.startswith(IN_SAMPLE)}
    held_out = {item.name: item for item in found.metrics if not item.name.startswith(IN_SAMPLE)}
    measured: Columns = [("held out", "right"), ("[95 %]", "right")] if held_out else []
    columns: Columns = [("metric", "left"), *measured, ("in sample", "right")]
    rows = [
        (
            plain(name),
            *(_cells(held_out.get(name)) if held_out else ()),
            number(own[name].value, own[name].unit) if name in own else "-",
        )
        for name in held_out | own
    ]
    title = "In sample: the rows it learnt from, which say nothing about others"
    if held_out:
        title = f"Held out: n = {max(item.n for item in held_out.values()):,}. {title}"
    screen.print(table(title, columns, rows))


def _cells(item: Measurement | None) -> tuple[str, str]:
    if item is None:
        return "-", "-"
    interval = item.interval
    spread = f"{number(interval.low, item.unit)} to {number(interval.high, item.unit)}" if interval else "-"
    return number(item.value, item.unit), spread


def _print_version(name: str, found: Adopted, screen: Console) -> None:
    if found.version is None:
        screen.print("[bold]Refused[/]: no version was registered.")
    elif found.champion == found.version.version:
        screen.print(f"[bold]{name} version {found.champion} is the champion.[/] Serve it: vigie serve")
    else:
        number_ = found.version.version
        goes_on = f"version {found.champion} goes on serving" if found.champion else "none serves yet"
        screen.print(f"[bold]{name} version {number_} is registered[/]; {goes_on}.")
        screen.print(f"To put it in place: vigie promote {number_}")
