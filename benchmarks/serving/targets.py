"""Who answers: how each one is started, what it is sent, and where in its answer the number is."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.environments import environment
from benchmarks.processes import ROOT, Failure, run_child
from benchmarks.serving.cases import LINEAR, TREES, Case
from vigie import Project

PEERS = Path(__file__).parent / "peers"

ECHO, FAST, DURABLE = "echo", "vigie fast", "vigie durable"
TEXTBOOK, MLFLOW, BENTOML, MLSERVER = "textbook FastAPI", "mlflow models serve", "BentoML", "MLServer"

JSON = "application/json"

_SAVE_S = 300.0

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Target:
    """One server.

    Attributes:
        name: for people.
        command: how it is started, from Python's path, the case's folder and the port.
        path: of its route, from the case.
        body: of a request for some rows; None when it is not asked about rows.
        read: the first answer's number, from the JSON of the answer.
        environment: whose Python runs it; None for ours.
        env: variables beside this process's, from the same three.
        prepare: makes what it serves in the case's folder.
        cases: what it can serve.
        fills_cache: whether its very first start does what no later one does; the second is measured.
    """

    name: str
    command: Callable[[str, Path, int], Sequence[str]]
    path: Callable[[Case], str] = lambda _case: "/predict"
    body: Callable[[Sequence[Row]], Any] = lambda rows: rows[0]
    read: Callable[[Any], float] = lambda said: float(said["prediction"])
    environment: str | None = None
    env: Callable[[str, Path, int], Mapping[str, str]] = lambda _python, _folder, _port: {}
    prepare: Callable[[str, Case, Path], str | None] = lambda _python, _case, _folder: None
    cases: Sequence[str] = field(default=(LINEAR, TREES))
    fills_cache: bool = False

    @property
    def python(self) -> str:
        """The interpreter that runs it."""
        return sys.executable if self.environment is None else str(environment(self.environment).python)

    def request(self, rows: Sequence[Row]) -> bytes:
        """Return the body of a request."""
        return json.dumps(self.body(rows)).encode()


def _make_project(_python: str, case: Case, folder: Path) -> None:
    """Register the fitted model in a project of its own, as one would: its first version becomes the champion."""
    target = case.table.columns[-1]
    (folder / "vigie.toml").write_text(
        f'[project]\nname = "{case.project}"\n\n[data]\nsource = "learnt.parquet"\ntarget = "{target}"\n'
    )
    case.table.to_parquet(folder / "learnt.parquet")
    Project(folder).register(case.model, case.table)


def _vigie(name: str, *, durable: bool) -> Target:
    def env(_python: str, _folder: Path, port: int) -> dict[str, str]:
        kept = {"VIGIE_STORES__DURABLE": str(durable).lower(), "VIGIE_SERVING__PORT": str(port)}
        return kept | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}

    return Target(
        name,
        lambda python, folder, _port: [python, "-m", "vigie", "serve", "--project", str(folder)],
        read=lambda said: float(said.get("probability", said["prediction"])),
        env=env,
        prepare=_make_project,
        fills_cache=True,  # its follower imports MLflow and fetches the bundle; later starts open the cached one
    )


def _save_mlflow(python: str, _case: Case, folder: Path) -> str | None:
    command = ["env", f"CASE={folder}", "PYTHONPATH=", python, str(PEERS / "save_mlflow.py")]
    found = run_child(command, request={}, timeout_s=_SAVE_S, own_path=False)
    return found.why if isinstance(found, Failure) else None


def _describe_mlserver(_python: str, _case: Case, folder: Path) -> None:
    served = folder / "mlserver"
    served.mkdir(exist_ok=True)
    settings = {"parallel_workers": 0, "debug": False, "metrics_endpoint": None, "host": "127.0.0.1"}
    model = {
        "name": "a",
        "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": str(folder / "model.joblib")},
    }
    (served / "settings.json").write_text(json.dumps(settings))
    (served / "model-settings.json").write_text(json.dumps(model))


def _tensor(rows: Sequence[Row]) -> dict[str, Any]:
    values = [value for row in rows for value in row.values()]
    return {"inputs": [{"name": "x", "shape": [len(rows), len(rows[0])], "datatype": "FP64", "data": values}]}


def split(rows: Sequence[Row]) -> dict[str, Any]:
    """Return rows as MLflow's ``dataframe_split``."""
    return {"dataframe_split": {"columns": list(rows[0]), "data": [list(row.values()) for row in rows]}}


def _last(said: Any) -> float:
    first = said["predictions"][0]
    return float(first[-1] if isinstance(first, list) else first)


def _uvicorn(python: str, _folder: Path, port: int) -> list[str]:
    return [python, "-m", "uvicorn", "textbook:app", "--app-dir", str(PEERS), "--port", str(port)]


def _bento(python: str, _folder: Path, port: int) -> list[str]:
    where = ["--working-dir", str(PEERS), "--host", "127.0.0.1", "-p", str(port)]
    return [python, "-m", "bentoml", "serve", "bento:Model", *where]


def _mlflow(python: str, folder: Path, port: int) -> list[str]:
    served = ["models", "serve", "-m", str(folder / "mlflow"), "--env-manager", "local", "-w", "1"]
    return [python, "-m", "mlflow", *served, "-h", "127.0.0.1", "-p", str(port)]


def _peer_env(python: str, folder: Path, port: int) -> dict[str, str]:
    return {
        "CASE": str(folder),
        "PATH": f"{Path(python).parent}:/usr/bin:/bin",
        "PYTHONPATH": "",  # peers must not find our packages among theirs
        "BENTOML_DO_NOT_TRACK": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLSERVER_HTTP_PORT": str(port),
        "MLSERVER_GRPC_PORT": "0",
        "MLSERVER_PARALLEL_WORKERS": "0",
    }


TARGETS: tuple[Target, ...] = (
    _vigie(FAST, durable=False),
    _vigie(DURABLE, durable=True),
    Target(TEXTBOOK, _uvicorn, environment="serving_textbook", env=_peer_env),
    Target(
        MLFLOW, _mlflow, lambda _case: "/invocations", split, _last, "serving_mlflow", _peer_env, prepare=_save_mlflow
    ),
    Target(
        BENTOML, _bento, body=lambda rows: {"rows": rows}, read=lambda said: float(said[0]),
        environment="serving_bentoml", env=_peer_env,
    ),
    Target(
        MLSERVER,
        lambda python, folder, _port: [str(Path(python).with_name("mlserver")), "start", str(folder / "mlserver")],
        lambda _case: "/v2/models/a/infer", _tensor, lambda said: float(said["outputs"][0]["data"][0]),
        "serving_mlserver", _peer_env, _describe_mlserver, (LINEAR,),
    ),
)  # fmt: skip
"""Everybody but the echo."""


def echo_command(port: int) -> list[str]:
    """Return how the echo is started."""
    return [sys.executable, "-m", "benchmarks.serving.peers.echo", str(port)]
