"""The short run of each benchmark, as CI runs it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.serving.wrk import is_available


def short_run(*arguments: str) -> Any:
    """Run a benchmark's short run as a user would; return its report."""
    command = [sys.executable, "-m", "benchmarks", *arguments, "--quick", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_the_short_training_benchmark_runs(tmp_path: Path) -> None:
    """Trains and serves Vigie and scikit-learn in processes of their own, and judges the one gate of the short run."""
    report = short_run("training", "--out", str(tmp_path / "run.json"))
    assert json.loads((tmp_path / "run.json").read_text()) == report
    assert [(found["engine"], found["status"], found["why"]) for found in report["results"]] == [
        ("vigie", "ok", ""),
        ("scikit-learn boosting", "ok", ""),
    ]
    measures = {item["name"]: item["median"] for item in report["results"][0]["measures"]}
    assert 0.7 < measures["roc_auc"] < 1
    assert all(measures[name] > 0 for name in ("train", "on disk", "first answer", "1 row", "1,000 rows"))
    (gate,) = report["gates"]
    assert gate["met"] is (gate["low"] >= gate["goal"]["at_least"])
    assert gate["met"]


@pytest.mark.slow
def test_the_short_drift_benchmark_runs() -> None:
    """Checks the statistics against scipy, counts two days of hours and a window, and judges what needs no peer."""
    report = short_run("drift")
    assert {found["case"]: found["why"] for found in report["results"]} == dict.fromkeys(
        ("correctness", "counting", "2,000 x 25"), ""
    )
    gates = {gate["name"]: gate for gate in report["gates"]}
    assert len(gates) == 6
    assert all(gate["met"] for name, gate in gates.items() if "np.sort" not in name)  # a busy machine bends that one
    assert gates["KS, error against scipy on the rows"]["high"] > 0  # the grid is not exact, so something was compared


@pytest.mark.slow
def test_the_short_prediction_log_benchmark_runs() -> None:
    """Loads the log, the textbook and the floor in processes of their own, and judges the bytes written per event."""
    report = short_run("prediction_log")
    assert {found["status"] for found in report["results"]} == {"ok"}
    assert len(report["results"]) == 10
    measured = {
        (found["case"], item["name"]): item["median"] for found in report["results"] for item in found["measures"]
    }
    assert [name for name, value in measured.items() if value <= 0] == [("a million rows", "left")]  # no byte was
    (gate,) = report["gates"]
    assert gate["met"]
    assert gate["low"] > 200  # ten features and the rest take that much, so something was measured


@pytest.mark.slow
@pytest.mark.skipif(not is_available(), reason="wrk or taskset is not installed")
def test_the_short_serving_benchmark_runs() -> None:
    """Serves the linear model in three ways, checks the answers, and judges two ratios."""
    report = short_run("serving", "--rounds", "1")
    assert {found["engine"]: found["why"] for found in report["results"]} == dict.fromkeys(
        ("echo", "vigie fast", "vigie durable", "textbook FastAPI"), ""
    )
    assert all(item["low"] > 0 for found in report["results"] for item in found["measures"])
    assert [gate["low"] is not None for gate in report["gates"]] == [True, True]


@pytest.mark.slow
def test_the_short_alarm_benchmark_runs() -> None:
    """Sixty calm years and a table of scikit-learn's: the budget is kept where the rules of others alarm every year."""
    report = short_run("alarms")
    ever = {
        (found["case"], found["engine"]): found["measures"][0]["median"]
        for found in report["results"]
        if found["case"].startswith("52 windows of 100 rows, no drift")
    }
    assert {engine: share for (_, engine), share in ever.items() if share > 0.9}.keys() >= {"PSI > 0.2", "p < 0.05"}
    assert [gate["met"] for gate in report["gates"]] == [True, True, True]


@pytest.mark.slow
def test_the_short_sequences_benchmark_runs() -> None:
    """Simulates lives and A/B tests: Vigie's rules keep their budget, and the tests a look beside them do not."""
    report = short_run("sequences")
    errors = {
        (found["case"], found["engine"]): item["median"]
        for found in report["results"]
        for item in found["measures"]
        if item["name"] == "errors"
    }
    assert all(gate["met"] for gate in report["gates"])
    assert len(report["gates"]) == 4
    assert all(share > 0.1 for (_, engine), share in errors.items() if engine == "z-test a look")
