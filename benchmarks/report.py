"""A run as one JSON object, and as tables for people."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

WIDTH = 80
_PER_TABLE = 3
_MET = {True: "[green]met[/]", False: "[bold red]missed[/]", None: "[dim]not judged[/]"}


def print_report(report: Mapping[str, Any], screen: Console) -> None:
    """Print a report: each case with its engines, then the gates."""
    machine = report["machine"]
    screen.print(
        f"[bold]{report['benchmark']}[/], {report['rounds']} round(s) on {escape(machine['cpu'])}, {machine['cores']} "
        f"cores, load {machine['load_before']} before and {machine['load_after']} after.\n"
        "Medians, ± half the distance between the quartiles."
    )
    for case, results in groupby(report["results"], key=lambda result: result["case"]):
        _print_case(case, list(results), screen)
    _print_gates(report["gates"], screen)


def _print_case(case: str, results: Sequence[Mapping[str, Any]], screen: Console) -> None:
    measured = [result for result in results if result["status"] == "ok"]
    names = list(dict.fromkeys(_heading(item) for result in measured for item in result["measures"]))
    for number, some in enumerate(_chunks(names, _PER_TABLE)):
        screen.print(f"\n[bold]{escape(case)}[/]" if number == 0 else "")
        made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        made.add_column("engine")
        for name in some:
            made.add_column(name, justify="right")
        for result in measured:
            cells = {_heading(item): item for item in result["measures"]}
            made.add_row(escape(result["engine"]), *(_cell(cells.get(name)) for name in some))
        screen.print(made)
    for result in results:
        if result["status"] != "ok":
            screen.print(f"[yellow]{escape(result['engine'])} {result['status']}:[/] {escape(result['why'])}")
        for note in result["notes"]:
            screen.print(f"[dim]{escape(result['engine'])}: {escape(note)}[/]")


def _print_gates(gates: Sequence[Mapping[str, Any]], screen: Console) -> None:
    screen.print("\n[bold]Gates[/]: the worse quartile must meet the goal")
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("gate", "goal", "quartiles", ""):
        made.add_column(heading, overflow="fold")
    for gate in gates:
        goal = gate["goal"]
        side = f"≤ {goal['at_most']:g}" if "at_most" in goal else f"≥ {goal['at_least']:g}"
        found = ", ".join("-" if gate[key] is None else _number(gate[key]) for key in ("low", "median", "high"))
        made.add_row(escape(gate["name"]), f"{side} {goal['unit']}".strip(), found, _MET[gate["met"]])
    screen.print(made)


def _heading(measure: Mapping[str, Any]) -> str:
    unit = measure["unit"]
    return f"{measure['name']}, {unit}" if unit else measure["name"]


def _cell(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "-"
    half = (found["high"] - found["low"]) / 2
    return f"{_number(found['median'])} ±{_number(half)}" if half else _number(found["median"])


def _number(value: float) -> str:
    if abs(value) < 1:
        return f"{value:.4f}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _chunks(names: Sequence[str], size: int) -> list[Sequence[str]]:
    return [names[start : start + size] for start in range(0, len(names), size)]
