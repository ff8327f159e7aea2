"""Where a prediction or a version comes from, in a terminal: one fact a line, from the answer back to the data."""

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table

from vigie.cli.events import print_events
from vigie.cli.output import measured, number, plain
from vigie.domain.measurement import Interval, Measurement
from vigie.loop.lineage import Answered, Lineage

Fact = tuple[str, str]

_NAMED = {"run_id", "parent_run_id", "candidate", "split", "source", "cause", "seed", "scorer", "scorer_reason"}
"""Lineage that has a line of its own, or that a reader of a terminal does not need."""


def print_lineage(found: Lineage, screen: Console) -> None:
    """Print the answer, the model, the data, the figures and the decisions."""
    if found.answered:
        _section("Prediction", _answer(found.answered), screen)
    _section(f"{found.model} version {found.version}", _model(found), screen)
    if found.manifest and found.manifest.metrics:
        _section("Measured", _metrics(found), screen)
    if found.decided:
        screen.print("[bold]Let in[/]")
        print_events(found.decided, screen)
        screen.print()
    if found.reigned:
        screen.print("[bold]Put in place[/]")
        print_events(found.reigned, screen)
        screen.print(f"by {plain(found.reigned[-1].evidence.get('by', 'somebody who is not on record'))}")
    elif found.answered:
        screen.print("The ledger knows of no promotion of this version before the answer.")


def _section(title: str, facts: Iterator[Fact], screen: Console) -> None:
    told = Table.grid(padding=(0, 2, 0, 0))
    told.add_column(style="dim", no_wrap=True)
    told.add_column(overflow="fold")
    for name, value in facts:
        told.add_row(plain(name), plain(value))
    screen.print(f"[bold]{plain(title)}[/]")
    screen.print(told)
    screen.print()


def _answer(answered: Answered) -> Iterator[Fact]:
    yield "id", str(answered.prediction_id)
    yield "at", f"{answered.at:%Y-%m-%d %H:%M:%S} UTC"
    if answered.features is None:
        yield "row", "its row cannot be read under the schema of this version"
        return
    shares = ", ".join(f"{label} {share:.4f}" for label, share in (answered.probabilities or {}).items())
    value = answered.prediction if shares else number(answered.prediction, "target")
    yield "answer", f"{value} ({shares})" if shares else str(value)
    yield "outcome", "not known yet" if answered.outcome is None else str(answered.outcome)
    if answered.entity is not None:
        yield "about", answered.entity
    yield "asked with", ", ".join(f"{name} = {_shown(value)}" for name, value in answered.features.items())


def _shown(value: Any) -> str:
    return "missing" if value is None else str(value)


def _model(found: Lineage) -> Iterator[Fact]:
    manifest = found.manifest
    if manifest is None:
        yield "bundle", "the registry has this version no more"
        return
    lineage = manifest.lineage
    yield "made", f"{manifest.created_at:%Y-%m-%d %H:%M:%S} UTC, by {lineage.get('cause', 'nobody on record')}"
    yield "candidate", str(lineage.get("candidate", "-"))
    yield "parameters", ", ".join(f"{name} = {value}" for name, value in manifest.params.items()) or "-"
    yield "MLflow run", str(lineage.get("run_id", "-"))
    if "parent_run_id" in lineage:
        yield "parent run", str(lineage["parent_run_id"])
    yield "git commit", manifest.git_commit or "none: the project is not in a repository"
    yield "data", str(lineage.get("source", "-"))
    yield "SHA-256", manifest.data_digest
    yield "split", str(lineage.get("split", "-"))
    yield "scorer", str(lineage.get("scorer", "-"))
    for name in lineage.keys() - _NAMED - {"n_train", "n_test"}:
        yield name, str(lineage[name])
    yield "libraries", ", ".join(f"{name} {version}" for name, version in manifest.libraries.items())


def _metrics(found: Lineage) -> Iterator[Fact]:
    for item in found.manifest.metrics if found.manifest else ():
        interval = Interval(**item["interval"]) if item.get("interval") else None
        measurement = Measurement(item["name"], item["value"], item["unit"], item["n"], interval=interval)
        yield item["name"], f"{measured(measurement)} on {item['n']:,} rows"
