"""An MLflow server of one's own: the loop's stores behind HTTP, artifacts through it, and what if it is away."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import mlflow
import pyarrow.parquet as pq
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.model_selection import cross_val_score, train_test_split

from vigie import Project
from vigie.adapters.mlflow_registry import MlflowRegistry
from vigie.adapters.mlflow_tracking import MlflowTracker, open_client
from vigie.domain.model import CHAMPION
from vigie.errors import RegistryError
from vigie.testing.conformance import RegistrySuite, TrackerSuite
from vigie.testing.tables import CHURN_FEATURES, churn_table

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
READY_S = 150
TOML = """
[project]
name = "shop"
[data]
source = "churn.parquet"
target = "churn"
positive = "oui"
entity = "client_id"
[training]
candidates = ["logistic"]
folds = 2
report = false
"""
ROW = {"anciennete_mois": 6, "montant_mensuel": 89.99, "nb_reclamations": 5, "nb_produits": 1, "satisfaction": 1.5}


def free_port():
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def environment(**more):
    """Return an environment in which this Python's commands and this Vigie are found."""
    found = {name: value for name, value in os.environ.items() if not name.startswith(("VIGIE_", "MLFLOW_"))}
    path = os.pathsep.join([str(Path(sys.executable).parent), found["PATH"]])
    own = {"PATH": path, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1", "MLFLOW_DISABLE_TELEMETRY": "true"}
    return found | own | more


@contextlib.contextmanager
def running(command, url, log, **more):
    """Run a server until the end of the block; yield once it answers."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=environment(**more), start_new_session=True
        )
    try:
        deadline = time.monotonic() + READY_S
        while not answers(url):
            assert process.poll() is None, log.read_text()[-3000:]
            assert time.monotonic() < deadline, f"not ready within {READY_S} s\n{log.read_text()[-3000:]}"
            time.sleep(0.2)
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 15)  # a group of its own: its workers end with it
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()


def answers(url):
    """Whether somebody answers there."""
    try:
        return httpx.get(url, timeout=2).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Return the address of one MLflow server with a store and artifacts of its own; clients never see its disk."""
    folder, port = tmp_path_factory.mktemp("server"), free_port()
    command = [
        sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
        "--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}",
        "--serve-artifacts", "--artifacts-destination", str(folder / "artifacts"),
    ]  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    with running(command, f"{url}/health", folder / "log", MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false"):
        yield url


@pytest.fixture(scope="module")
def client(server):
    """Return a client of the server."""
    return open_client(server)


class TestServedTracker(TrackerSuite):
    """The tracker's contract over HTTP."""

    @pytest.fixture
    def tracker(self, client):
        """Return a tracker whose artifacts go where the server says."""
        return MlflowTracker(client, artifacts=None)

    @pytest.fixture
    def kept(self, kept_in_mlflow):
        """Return what reads a run back."""
        return kept_in_mlflow

    @pytest.fixture
    def attached(self, attached_in_mlflow):
        """Return what reads files and note back."""
        return attached_in_mlflow


class TestServedRegistry(RegistrySuite):
    """The registry's contract over HTTP."""

    @pytest.fixture
    def registry(self, client):
        """Return a registry that is empty for this test."""
        yield MlflowRegistry(client)
        for model in client.search_registered_models():
            if model.name in ("churn", "other"):
                client.delete_registered_model(model.name)

    @pytest.fixture
    def new_run(self, client):
        """Return what makes a real run."""
        return lambda: client.create_run("0").info.run_id


@pytest.fixture(scope="module")
def project(server, tmp_path_factory):
    """Return a project whose MLflow is the server."""
    folder = tmp_path_factory.mktemp("churn")
    (folder / "vigie.toml").write_text(f'{TOML}\n[stores]\ntracking_uri = "{server}"\n')
    pq.write_table(churn_table(600, seed=1), folder / "churn.parquet")
    return Project(folder)


def test_the_loop_lives_on_a_server(project, server, client):
    """Train, register, promote, roll back: versions and aliases are the server's, nothing of MLflow lies here."""
    for _ in range(2):
        _, registered = project.train()
    assert registered.version.version == "2"
    project.promote("2", reason="a test")
    assert client.get_model_version_by_alias("shop", CHAMPION).version == "2"
    project.rollback(reason="a test")
    assert client.get_model_version_by_alias("shop", CHAMPION).version == "1"
    state = project.settings.root
    assert not (state / "mlflow.db").exists()
    assert not (state / "artifacts").exists()
    assert client.get_model_version("shop", "1").source.startswith("mlflow-artifacts:")
    mlflow.set_tracking_uri(server)
    mlflow.set_registry_uri(server)
    try:
        frame = churn_table(20, seed=2).select(list(CHURN_FEATURES)).to_pandas()
        answered = mlflow.pyfunc.load_model("models:/shop@champion").predict(frame)
    finally:
        mlflow.set_tracking_uri(None)
        mlflow.set_registry_uri(None)
        for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):
            os.environ.pop(name, None)
    assert set(answered["prediction"]) <= {"oui", "non"}


def test_serving_follows_the_server_and_outlives_it(project, tmp_path):
    """A promotion there reaches answers here; with nobody at that address, answers go on from the cache."""
    if project_versions(project) < 2:
        project.train()
        project.train()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "vigie", "serve", "--port", str(port), "--project", str(project.settings.folder)]
    with running(command, f"{url}/readyz", tmp_path / "log"):
        before = served_version(url)
        other = "2" if before == "1" else "1"
        project.promote(other, reason="a test")
        deadline = time.monotonic() + READY_S
        while served_version(url) != other:
            assert time.monotonic() < deadline, (tmp_path / "log").read_text()[-3000:]
            time.sleep(0.2)
    away = f"http://127.0.0.1:{free_port()}"
    with running(command, f"{url}/readyz", tmp_path / "away", VIGIE_STORES__TRACKING_URI=away):
        answer = httpx.post(f"{url}/predict", json=ROW, timeout=60)
        assert (answer.status_code, answer.json()["model"]["version"]) == (200, other)


def served_version(url):
    """Return the version that answers."""
    return httpx.post(f"{url}/predict", json=ROW, timeout=60).json()["model"]["version"]


def project_versions(project):
    """Return how many versions the project's server has."""
    return len(open_client(project.settings.tracking_uri).search_model_versions("name='shop'"))


def test_mlflow_serves_the_champion(project, server, tmp_path):
    """`mlflow models serve` answers like Vigie in each of MLflow's formats, and refuses what does not fit."""
    if not shutil.which("uvicorn", path=environment()["PATH"]):
        pytest.skip("mlflow models serve needs the command uvicorn beside this Python")
    if project_versions(project) == 0:
        project.train()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [
        sys.executable, "-m", "mlflow", "models", "serve", "-m", "models:/shop@champion", "--env-manager", "local",
        "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
    ]  # fmt: skip
    with running(command, f"{url}/ping", tmp_path / "log", MLFLOW_TRACKING_URI=server):
        split = {"dataframe_split": {"columns": list(ROW), "data": [list(ROW.values())]}}
        bodies = [split, {"dataframe_records": [ROW]}, {"instances": [ROW]}]
        found = [httpx.post(f"{url}/invocations", json=body, timeout=60) for body in bodies]
        wrong = httpx.post(
            f"{url}/invocations", json={"dataframe_records": [{**ROW, "satisfaction": "bad"}]}, timeout=60
        )
        missing = httpx.post(f"{url}/invocations", json={"dataframe_records": [{"satisfaction": 1.5}]}, timeout=60)
    assert [answer.status_code for answer in found] == [200, 200, 200], found[-1].text
    first, *others = [answer.json()["predictions"] for answer in found]
    assert all(other == first for other in others)
    assert first[0]["prediction"] == "oui"
    assert first[0]["probability_oui"] == pytest.approx(1 - first[0]["probability_non"])
    assert (wrong.status_code, missing.status_code) == (400, 400)


def test_a_server_that_is_away_is_told_in_seconds():
    """Not after MLflow's minutes of tries: an error of the registry that says what to check."""
    began = time.monotonic()
    with pytest.raises(RegistryError, match="its server runs"):
        MlflowRegistry(open_client(f"http://127.0.0.1:{free_port()}")).alias("churn", CHAMPION)
    assert time.monotonic() - began < 20


@pytest.fixture(scope="module")
def projected(server, tmp_path_factory):
    """Return the run that `mlflow run` made of the breast cancer example, and a client; its candidates are trained."""
    folder = tmp_path_factory.mktemp("project") / "breast_cancer"
    shutil.copytree(ROOT / "examples" / "breast_cancer", folder, ignore=shutil.ignore_patterns(".vigie"))
    command = [
        sys.executable, "-m", "mlflow", "run", str(folder), "--env-manager", "local", "--experiment-name", "projects",
        "-P", "folds=5",
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=400, check=False, stdin=subprocess.DEVNULL, cwd=folder.parent,
        env=environment(MLFLOW_TRACKING_URI=server, VIGIE_TRAINING__REPORT="false"),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    client = open_client(server)
    experiment = client.get_experiment_by_name("projects")
    (run,) = client.search_runs([experiment.experiment_id], "tags.mlflow.project.entryPoint = 'main'")
    return client, run


def test_mlflow_runs_the_project(projected):
    """The training stands below MLflow's own run, in its experiment, and the version is registered."""
    client, run = projected
    assert run.info.status == "FINISHED"
    assert run.data.params["folds"] == "5"
    (training,) = client.search_runs([run.info.experiment_id], "tags.vigie.kind = 'training'")
    assert training.data.tags["mlflow.parentRunId"] == run.info.run_id
    candidates = client.search_runs([run.info.experiment_id], "tags.vigie.kind = 'candidate'")
    assert {found.data.tags["mlflow.parentRunId"] for found in candidates} == {training.info.run_id}
    assert client.get_model_version_by_alias("breast_cancer", CHAMPION).version == "1"


def test_experiments_are_compared_in_mlflow(projected):
    """The chapter's forest and boosting, best first by F1 over five folds, with the mean and sd of scikit-learn."""
    client, run = projected
    found = client.search_runs(
        [run.info.experiment_id], "tags.vigie.kind = 'candidate'", order_by=["metrics.cv_f1_mean DESC"]
    )
    means = [one.data.metrics["cv_f1_mean"] for one in found]
    assert means == sorted(means, reverse=True)
    X, y = load_breast_cancer(return_X_y=True)
    X_train, _, y_train, _ = train_test_split(X, 1 - y, test_size=0.2, random_state=42)
    chapter = {
        "random_forest": RandomForestClassifier(100, max_depth=5, random_state=42),
        "gradient_boosting": GradientBoostingClassifier(
            n_estimators=200, max_depth=3, learning_rate=0.1, random_state=42
        ),
    }
    kept = {one.info.run_name: one.data.metrics for one in found}
    for name, model in chapter.items():
        f1 = cross_val_score(model, X_train, y_train, cv=5, scoring="f1")
        assert kept[name]["cv_f1_mean"] == pytest.approx(f1.mean(), rel=1e-12)
        assert kept[name]["cv_f1_sd"] == pytest.approx(f1.std(), rel=1e-9)
        steps = [item.value for item in client.get_metric_history(run_named(found, name), "folds/f1")]
        assert steps == pytest.approx(f1, rel=1e-12)


def run_named(runs, name):
    """Return the id of a run by its name."""
    return next(run.info.run_id for run in runs if run.info.run_name == name)
