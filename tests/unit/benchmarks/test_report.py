"""The JSON object of a run, its tables, and the command."""

import io
import json
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from benchmarks import __main__ as command
from benchmarks.catalogue import BENCHMARKS, Request
from benchmarks.findings import Findings, Gate, Goal, Measure, Result, Status
from benchmarks.report import print_report

FINDINGS = Findings(
    rounds=3,
    results=(
        Result("houses", "vigie", Status.OK, (Measure("train", "CPU s", (9.0, 10.0, 12.0)),), notes=("chose ridge",)),
        Result("houses", "a peer with a [long] name", Status.FAILED, why="it ended with 1: no such solver"),
    ),
    gates=(
        Gate("CPU time of training", Goal("s", at_most=11.5), (9.0, 10.0, 12.0)),
        Gate("distance from the best", Goal("", at_least=-0.005), (0.1, None, 0.1)),
    ),
    versions={"vigie": {"numpy": "2.4.6"}},
)


@pytest.fixture
def report() -> dict[str, Any]:
    """Return the object of a run that found FINDINGS."""
    request = Request(quick=True, rounds=None, say=lambda _line: None)
    return command.run("training", SimpleNamespace(run=lambda _request: FINDINGS), request)


def test_a_run_is_the_documented_object(report: dict[str, Any]) -> None:
    """The keys are those of the design, and the whole is JSON without NaN."""
    assert list(report) == ["benchmark", "machine", "versions", "rounds", "results", "gates"]
    assert list(report["gates"][0]) == ["name", "goal", "low", "median", "high", "met"]
    assert report["versions"]["vigie"] == {"numpy": "2.4.6"}
    assert json.loads(json.dumps(report, allow_nan=False)) == report


def test_the_machine_is_described_without_its_name(report: dict[str, Any]) -> None:
    """A reader learns what it ran on and how busy that was, and nothing about whose it is."""
    assert set(report["machine"]) == {"cpu", "cores", "memory_gib", "os", "python", "load_before", "load_after"}


def test_tables_fit_eighty_columns_and_hide_no_failure(report: dict[str, Any]) -> None:
    """People see medians, the failure with its reason, and each gate's verdict, within eighty columns."""
    stream = io.StringIO()
    print_report(report, Console(file=stream, width=80))
    text = stream.getvalue()
    assert max(map(len, text.splitlines())) <= 80
    for said in ("10 ±0.7500", "chose ridge", "a peer with a [long] name failed: it ended with 1", "met", "not judged"):
        assert said in text


def test_every_benchmark_is_listed_and_can_be_imported() -> None:
    """--help names every benchmark with its line, and each entry leads to a module with run()."""
    text = " ".join(CliRunner().invoke(command.main, ["--help"]).output.split())
    for name, entry in BENCHMARKS.items():
        assert f"{name} {entry.summary}" in text
        assert callable(__import__(entry.module, fromlist=["run"]).run)


@pytest.mark.parametrize(
    ("values", "code"), [((1.0,), 0), ((3.0,), 1), ((None,), 1)], ids=["met", "missed", "unjudged"]
)
def test_a_missed_gate_fails_where_asked_to(
    monkeypatch: pytest.MonkeyPatch, values: tuple[float | None, ...], code: int
) -> None:
    """--fail-on-missed ends with 1 unless every gate is judged and met; without it a measured run ends with 0."""
    findings = Findings(1, (), (Gate("cost", Goal("s", at_most=2.0), values),))
    monkeypatch.setitem(BENCHMARKS, "training", SimpleNamespace(run=lambda _request: findings, summary=""))
    assert CliRunner().invoke(command.main, ["training", "--json", "--fail-on-missed"]).exit_code == code
    assert CliRunner().invoke(command.main, ["training", "--json"]).exit_code == 0
