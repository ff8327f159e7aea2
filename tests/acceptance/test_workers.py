"""Two workers behind one address: one log, one sum of metrics, one end, and no counter that goes back."""

import re
import signal
import subprocess
import sys
import time

import httpx
import psutil
import pytest

pytestmark = pytest.mark.slow

N_CLIENTS = 16

TOLD_EARLY = """
import os, runpy, signal
from vigie.api.server import Server

def run(server, sockets, whole=Server.run):
    os.kill(os.getpid(), signal.SIGTERM)
    whole(server, sockets)

Server.run = run
runpy.run_module("vigie", run_name="__main__")
"""


@pytest.fixture(scope="module")
def pair(project):
    """Return a server with two workers, and a client."""
    with project.server(VIGIE_SERVING__WORKERS="2") as found:
        yield found


def _metric(http, name):
    """Return the samples of a metric by their labels, as text."""
    text = http.get("/metrics").raise_for_status().text
    return {labels: float(value) for labels, value in re.findall(rf"^{name}({{.*}})? (.*)$", text, re.MULTILINE)}


def _workers(process):
    """Return the worker processes; the follower is none."""
    children = psutil.Process(process.pid).children()
    return [child for child in children if _is_worker(child)]


def _is_worker(child):
    try:
        return "vigie.wiring.follow" not in child.cmdline()
    except psutil.Error:  # it has ended meanwhile
        return False


def _answered(http):
    return sum(_metric(http, "vigie_predictions_total").values())


def _crowd(http, customer):
    """Ask over many connections, so that both workers answer; return the ids."""
    ids = []
    for _ in range(N_CLIENTS):
        with httpx.Client(base_url=http.base_url, timeout=30) as one:
            ids += [one.post("/predict", json=customer).raise_for_status().json()["prediction_id"] for _ in range(5)]
    return ids


def test_both_answer_and_metrics_are_their_sum(project, pair, customer):
    """Whoever is asked tells the same number, which is that of the answers and of the rows in the log."""
    process, http = pair
    before, rows = _answered(http), project.json("monitor")["n"]
    ids = _crowd(http, customer)
    assert len(set(ids)) == 5 * N_CLIENTS
    told = []
    for _ in range(N_CLIENTS):
        with httpx.Client(base_url=http.base_url, timeout=30) as one:
            told.append(_answered(one))
    assert set(told) == {before + len(ids)}
    assert project.json("monitor")["n"] == rows + len(ids)
    assert len(_metric(http, "vigie_process_resident_memory_bytes")) == len(_workers(process)) == 2
    cpu = _metric(http, "vigie_process_cpu_seconds_total")
    assert cpu.keys() == {'{worker="0"}', '{worker="1"}'}


def test_request_ids_are_not_given_twice(pair):
    """Forked workers share their memory, but not the names they give."""
    _, http = pair
    ids = []
    for _ in range(N_CLIENTS):
        with httpx.Client(base_url=http.base_url, timeout=30) as one:
            ids += [one.get("/livez").headers["x-request-id"] for _ in range(10)]
    assert len(set(ids)) == len(ids)
    assert len({which.partition("-")[0] for which in ids}) == 2, "the control: both have answered"


def test_a_promotion_reaches_every_worker(project, pair, customer):
    """One follower for all; after a moment nobody answers by the version before."""
    _, http = pair
    project.run("train")
    project.run("promote", "2", expect=(0, 1))
    champion = project.json("history")[-1]

    def versions():
        seen = set()
        for _ in range(N_CLIENTS):
            with httpx.Client(base_url=http.base_url, timeout=30) as one:
                seen.add(one.post("/predict", json=customer).json()["model"]["version"])
        return seen

    deadline = time.monotonic() + 60
    while versions() != {"2"}:
        assert time.monotonic() < deadline, champion
        time.sleep(0.2)
    assert {re.search(r'version="(.*?)"', labels)[1] for labels in _metric(http, "vigie_model_info")} == {"2"}
    project.run("rollback")


def test_a_killed_worker_is_replaced_and_takes_no_count_with_it(project, pair, customer, tools):
    """After kill -9 the other answers, the log has all that was acknowledged, and counters only grow."""
    process, http = pair
    victim = _workers(process)[0]
    ids, seen = _crowd(http, customer), [_answered(http)]
    cpu = sum(_metric(http, "vigie_process_cpu_seconds_total").values())
    victim.kill()
    deadline = time.monotonic() + 60
    while len({worker.pid for worker in _workers(process)} - {victim.pid}) < 2 or victim.is_running():
        with httpx.Client(base_url=http.base_url, timeout=30) as one:
            seen.append(_answered(one))
        assert time.monotonic() < deadline
    tools.wait(lambda: tools.ready(http), 60)
    ids += _crowd(http, customer)
    seen.append(_answered(http))
    assert seen == sorted(seen)
    assert seen[-1] == seen[0] + 5 * N_CLIENTS
    assert sum(_metric(http, "vigie_process_cpu_seconds_total").values()) >= cpu
    assert sum(_metric(http, "vigie_worker_restarts_total").values()) == 1
    items = [{"prediction_id": which, "outcome": "oui"} for which in ids]
    assert {item["matched"] for item in http.post("/feedback", json=items).json()} == {True}
    assert "was killed by signal 9: another starts in 0.1 s" in (project.folder / "serve.log").read_text()


def test_sigterm_drains_all_and_leaves_nobody(project, customer):
    """Exit code 0; workers and follower end with their parent."""
    with project.server(VIGIE_SERVING__WORKERS="2") as (process, http):
        assert http.post("/predict", json=customer).status_code == 200
        family = psutil.Process(process.pid).children(recursive=True)
        assert len(family) == 3
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        _, alive = psutil.wait_procs(family, 60)
        assert alive == []


def test_workers_end_with_a_parent_that_is_killed(project, tools):
    """They leave the address to the next server, which starts at once."""
    with project.server(VIGIE_SERVING__WORKERS="2") as (process, http):
        port, family = http.base_url.port, psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.wait(10)
        tools.wait(lambda: all(_has_ended(one) for one in family), 60)
        with project.started("serve", "--port", str(port)) as successor:
            tools.wait(lambda: tools.ready(http), 60, successor)


def _has_ended(process):
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_log_that_cannot_be_opened_is_said_once(project):
    """Exit code 6 and a sentence, as with one process: no worker is started to fail over and over."""
    log = project.folder / ".vigie" / "predictions.db"
    kept = log.rename(log.with_suffix(".kept"))
    log.mkdir()
    try:
        refused = project.run("serve", "--port", "0", expect=6, VIGIE_SERVING__WORKERS="2")
        assert "worker" not in refused.stderr
    finally:
        log.rmdir()
        kept.rename(log)


def test_a_signal_before_it_listens_to_them_is_not_lost(project):
    """A worker is told to end while it still prepares its first answer: it ends as after any SIGTERM."""
    line = [sys.executable, "-c", TOLD_EARLY, "serve", "--port", "0", "--project", str(project.folder)]
    assert subprocess.run(line, check=False, timeout=60).returncode == 0
