"""Watching, promoting and running both together, as an operator does."""

import json
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import httpx
import psutil
import pytest

from vigie.testing.tables import CHURN_FEATURES, churn_table

pytestmark = pytest.mark.slow


def live_through(http, table):
    """Ask for every row and tell what came of it."""
    answers = http.post("/predict", json=table.select(CHURN_FEATURES).to_pylist()).raise_for_status().json()
    outcomes = table.column("churn").to_pylist()
    items = [
        {"prediction_id": answer["prediction_id"], "outcome": outcome}
        for answer, outcome in zip(answers, outcomes, strict=True)
    ]
    http.post("/feedback", json=items).raise_for_status()


def test_watch_once_ends_with_what_it_found(project):
    """Calm: 0. An alarm that no promotion answers: 1. An alarm answered by a promotion: 0, and the champion moves."""
    with project.server() as (_, http):
        live_through(http, churn_table(400, seed=31))
        calm = project.json("watch", "--once")
        assert (calm["window_closed"], calm["alert"]) == (True, None)
        live_through(http, churn_table(600, seed=32, drift=1.0, relation=1.0))
        toml = project.folder / "vigie.toml"
        as_written = toml.read_text(encoding="utf-8") + "\n[monitoring]\nin_a_row = 1\n"
        toml.write_text(as_written + '\n[gate]\nmargin = 9.0\n[retraining]\ncooldown = "1ms"\n', encoding="utf-8")
        held = project.json("watch", "--once", expect=1)
        assert (held["gate"]["verdict"], held["promoted"]) == ("hold", None)
        toml.write_text(as_written + '\n[retraining]\ncooldown = "1ms"\n', encoding="utf-8")
        live_through(http, churn_table(600, seed=33, drift=1.0, relation=1.0))
        answered = project.json("watch", "--once", expect=0)
        assert answered["promoted"] == answered["challenger"]
    kinds = [event["kind"] for event in project.json("history")]
    assert "alerted" in kinds  # at the first alarm; the second finds the same alerts open and need not say so again
    assert kinds[-5:] == ["retrain_decided", "monitored", "trained", "gated", "promoted"]


def test_a_retraining_that_is_killed_is_tried_again_and_a_second_one_waits(new_project, tools):
    """Twice kill -9 in the middle of a retraining: the next watcher retrains at once, the one after it cools down."""
    project = new_project(rows=600)
    toml = project.folder / "vigie.toml"
    calm = toml.read_text(encoding="utf-8") + "\n[monitoring]\nin_a_row = 1\n"
    endless = calm.replace('["logistic"]', '[{ name = "random_forest", n_estimators = 20_000 }]')
    project.run("train")
    toml.write_text(endless, encoding="utf-8")
    with project.server() as (_, http):
        for deaths in (1, 2):
            live_through(http, churn_table(600, seed=40 + deaths, drift=1.0, relation=1.0))
            with project.started("watch", "--every", "1h") as process:
                tools.wait(lambda deaths=deaths: n_retrainings(project) == deaths, 60, process)
                process.kill()
                assert process.wait(30) == -signal.SIGKILL
        toml.write_text(calm, encoding="utf-8")
        live_through(http, churn_table(600, seed=43, drift=1.0, relation=1.0))
        waits = project.json("watch", "--once", expect=1)
        assert "2 retrainings in a row" in waits["retrain_reasons"][-2]
        assert waits["retrain_reasons"][-1].startswith("Cooling down")
        toml.write_text(calm + '\n[retraining]\ncooldown = "1ms"\n', encoding="utf-8")
        live_through(http, churn_table(600, seed=44, drift=1.0, relation=1.0))
        assert project.json("watch", "--once")["promoted"] == "2"


def n_retrainings(project):
    """Return how many the ledger knows to have begun."""
    with closing(sqlite3.connect(f"file:{project.folder}/.vigie/ledger.db?mode=ro", uri=True)) as ledger:
        lines = ledger.execute("SELECT evidence FROM event WHERE kind = 'retrain_decided'")
        return sum(json.loads(evidence)["retrain"] for (evidence,) in lines)


def test_two_promotions_at_once_leave_one_line_of_history(new_project):
    """One wins, or both in an order; each change begins where the one before ended, and the alias is the last one."""
    project = new_project(rows=300)
    for _ in range(3):
        project.run("train", "--json")
    both = [
        subprocess.Popen(project.command("promote", version), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for version in ("2", "3")
    ]
    told = [process.communicate(timeout=120) for process in both]
    codes = [process.returncode for process in both]
    assert 0 in codes
    assert set(codes) <= {0, 5}, told
    assert "Traceback" not in "".join(map(str, told))
    moves = [event for event in project.json("history") if event["kind"] == "promoted"]
    assert len(moves) == 1 + codes.count(0)
    previous = [event["evidence"]["previous"] for event in moves]
    assert previous == [None, *[event["version"] for event in moves[:-1]]]
    again = project.run("promote", moves[-1]["version"])
    assert "is the champion already" in again.stdout


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGTERM, 0),
        pytest.param(signal.SIGKILL, -9, marks=pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")),
    ],
)
def test_up_runs_both_and_ends_both(project, tools, number, code):
    """SIGTERM: exit code 0; kill -9 leaves as little: the port is free again, no process of the family is left."""
    port = tools.port()
    with (
        project.started("up", "--port", str(port), "--every", "1h") as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as http,
    ):
        tools.wait(lambda: tools.ready(http), 60, process)
        family = psutil.Process(process.pid).children(recursive=True)
        try:
            lines = [" ".join(child.cmdline()) for child in family]
            assert any(" serve " in line for line in lines)
            assert any(" watch " in line for line in lines)
            process.send_signal(number)
            assert process.wait(60) == code
            tools.wait(lambda: not any(works(child) for child in family), 60)
        finally:
            for child in filter(works, family):
                child.kill()


def works(process):
    """Whether a process has not ended; where nobody asks for its exit code, it may be told as a zombie for ever."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_state_folder_that_cannot_be_made_is_a_storage_error(new_project):
    """A file in its place: exit code 6, one sentence."""
    project = new_project()
    (project.folder / "taken").write_text("")
    done = project.run("train", expect=6, VIGIE_STORES__ROOT="taken/state")
    assert "taken" in done.stderr
    assert done.stderr.startswith("vigie: StorageError")


def test_a_disk_that_is_full_is_told_in_a_sentence(new_project):
    """No file may grow beyond 40 kB: training ends with a code of the table, not with a traceback."""
    project = new_project(rows=300)
    line = ["bash", "-c", 'ulimit -f 40; exec "$@"', "bash", *project.command("train")]
    done = subprocess.run(line, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode in (5, 6), done.stderr
    assert "Traceback" not in done.stderr
    *progress, last = done.stderr.splitlines()
    assert last.startswith("vigie: ")
    assert "Free some space" in last
    assert all(" is done: " in line for line in progress)


def test_every_command_without_a_champion_says_what_to_do(new_project):
    """Exit code 5 and the command that makes one."""
    project = new_project()
    for arguments in (["watch", "--once"], ["promote", "1"]):
        assert "vigie train" in project.run(*arguments, expect=5).stderr
    assert json.loads(project.run("history", "--json").stdout) == []
