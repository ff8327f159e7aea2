"""The real command line in processes of its own, real stores on disk, real HTTP."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import httpx
import psutil
import pyarrow.parquet as pq
import pytest

from vigie.testing.tables import churn_table

TOML = """
[project]
name = "churn"

[data]
source = "churn.parquet"
target = "churn"
positive = "oui"
entity = "client_id"

[training]
candidates = ["logistic"]
folds = 2
report = false

[serving]
follow_every = "200ms"
"""
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("VIGIE_", "MLFLOW_"))}
ENVIRONMENT |= {"OMP_NUM_THREADS": "1", "COLUMNS": "200", "PYTHONUNBUFFERED": "1"}
START_S = 60


class CommandLine:
    """``vigie`` as a person or a cron job calls it, in one project."""

    def __init__(self, folder):
        self.folder = folder

    def command(self, *arguments):
        """Return the whole command line."""
        return [sys.executable, "-m", "vigie", *arguments, "--project", str(self.folder)]

    def run(self, *arguments, expect=0, **environment):
        """Run a command to its end and return it; no output may hold a traceback."""
        done = subprocess.run(
            self.command(*arguments), capture_output=True, text=True, timeout=150, check=False,
            env=ENVIRONMENT | environment, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert "Traceback" not in done.stderr + done.stdout, done.stderr
        codes = expect if isinstance(expect, tuple) else (expect,)
        assert done.returncode in codes, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *arguments, expect=0):
        """Run a command with --json and return what it prints; NaN is no JSON."""
        return json.loads(self.run(*arguments, "--json", expect=expect).stdout, parse_constant=pytest.fail)

    @contextmanager
    def started(self, *arguments, **environment):
        """Run a command in the background; at the end it is ended, and by force if need be."""
        with (self.folder / f"{arguments[0]}.log").open("ab") as log:
            process = subprocess.Popen(
                self.command(*arguments), stdout=log, stderr=log, env=ENVIRONMENT | environment,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
        family = []
        try:
            yield process
        finally:
            if process.poll() is None:
                family = psutil.Process(process.pid).children(recursive=True)
                process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            psutil.wait_procs(family, 5)
            for child in family:
                if child.is_running():
                    child.kill()

    @contextmanager
    def server(self, **environment):
        """Serve on a free port until the end; yield the process and a client once it is ready."""
        port = free_port()
        with (
            self.started("serve", "--port", str(port), **environment) as process,
            httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as http,
        ):
            wait_until(lambda: is_ready(http), START_S, process)
            yield process, http


def free_port():
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def is_ready(http):
    """Whether the server may take traffic."""
    try:
        return http.get("/readyz").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def wait_until(holds, seconds, process=None):
    """Wait until something holds; fail after some seconds, or when the process has ended."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert process is None or process.poll() is None, f"the process ended with {process.returncode}"
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)


@contextmanager
def trickle(http, body, pause_s=0.01):
    """Keep asking in the background; yield the list of (status, version, prediction_id) that came back."""
    seen, stopped = [], threading.Event()

    def ask():
        while not stopped.wait(pause_s):
            try:
                answer = http.post("/predict", json=body)
            except httpx.HTTPError as error:
                seen.append((type(error).__name__, None, None))
                continue
            found = answer.json()
            seen.append((answer.status_code, found.get("model", {}).get("version"), found.get("prediction_id")))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        stopped.set()
        thread.join(30)


@pytest.fixture(scope="session")
def tools():
    """Return the helpers that tests share."""

    class Tools:
        wait = staticmethod(wait_until)
        trickle = staticmethod(trickle)
        port = staticmethod(free_port)
        ready = staticmethod(is_ready)

    return Tools


@pytest.fixture(scope="session")
def blank_store(tmp_path_factory):
    """Return an MLflow store without a model: making one takes seconds, copying it none."""
    folder = tmp_path_factory.mktemp("blank")
    code = f"from vigie.adapters.mlflow_tracking import open_client; open_client('sqlite:///{folder}/mlflow.db')"
    code += ".search_experiments()"
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, env=ENVIRONMENT, timeout=100)
    return folder / "mlflow.db"


@pytest.fixture(scope="session")
def new_project(tmp_path_factory, blank_store):
    """Return what makes a project folder with an empty store."""

    def make(toml=TOML, rows=1500):
        folder = tmp_path_factory.mktemp("project with spaces é")
        (folder / ".vigie").mkdir()
        shutil.copy(blank_store, folder / ".vigie" / "mlflow.db")
        (folder / "vigie.toml").write_text(toml, encoding="utf-8")
        if rows:
            pq.write_table(churn_table(rows, seed=7), folder / "churn.parquet")
        return CommandLine(folder)

    return make


@pytest.fixture(scope="module")
def project(new_project):
    """Return a project with a champion."""
    made = new_project()
    made.run("train")
    return made


@pytest.fixture
def customer():
    """Return the body of the source chapter."""
    return {"anciennete_mois": 6, "montant_mensuel": 89.99, "nb_reclamations": 5, "nb_produits": 1, "satisfaction": 1.5}
