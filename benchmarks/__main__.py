"""``python -m benchmarks``: run one benchmark and print what it found."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from benchmarks.catalogue import BENCHMARKS, Benchmark, Request
from benchmarks.machine import describe_machine, load_average
from benchmarks.processes import ROOT
from benchmarks.report import WIDTH, print_report

NAMES = "\n\n\b\nBenchmarks:\n" + "\n".join(f"  {name:<16}{entry.summary}" for name, entry in BENCHMARKS.items())


@click.command(
    help="Measure Vigie beside its peers. Each peer runs in an environment of its own, built on first use." + NAMES,
    no_args_is_help=True,
    context_settings={"max_content_width": 100},
)
@click.argument("name", type=click.Choice(list(BENCHMARKS)), metavar="NAME")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for programs.")
@click.option("--quick", is_flag=True, help="A short run on what is installed; the full goals are not judged.")
@click.option("--rounds", type=click.IntRange(min=1), help="How often everything is measured.  [default: its own]")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Also write the JSON here."
)
@click.option("--fail-on-missed", is_flag=True, help="Exit with 1 unless every gate is judged and met.")
def main(*, name: str, as_json: bool, quick: bool, rounds: int | None, out: Path | None, fail_on_missed: bool) -> None:
    """Run one benchmark."""
    screen = Console(stderr=True, highlight=False)
    request = Request(quick, rounds, say=lambda line: screen.print(line, style="dim", markup=False, soft_wrap=True))
    report = run(name, BENCHMARKS[name], request)
    text = json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False)
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text + "\n", encoding="utf-8")
    if as_json:
        click.echo(text)
    else:
        print_report(report, Console(width=WIDTH, highlight=False))
    if fail_on_missed and not all(gate["met"] for gate in report["gates"]):
        sys.exit(1)


def run(name: str, benchmark: Benchmark, request: Request) -> dict[str, Any]:
    """Run a benchmark and return the JSON object of a run."""
    before = load_average()
    found = benchmark.run(request)
    machine = describe_machine() | {"load_before": before, "load_after": load_average()}
    return {
        "benchmark": name,
        "machine": machine,
        "versions": {"commit": commit(), **found.versions},
        "rounds": found.rounds,
        "results": [result.to_dict() for result in found.results],
        "gates": [gate.to_dict() for gate in found.gates],
    }


def commit() -> str | None:
    """Return the git commit that was measured, with ``+changes`` where files differ from it; None outside of git."""
    described = subprocess.run(
        ["git", "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=+changes"],  # noqa: S607  git, as found
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip() or None


if __name__ == "__main__":
    main()
