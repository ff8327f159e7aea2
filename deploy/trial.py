"""What a container of the serving image must do: answer, be healthy, hold little, stop, die and come back."""

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import click
import httpx
from checks import expect, free_port, until
from engine import Engine

from vigie.testing.tables import churn_table

STATUS = """\
import json, os, importlib.util as u
said = dict(l.split(':\\t') for l in open('/proc/self/status').read().splitlines() if ':\\t' in l)
try: open('/opt/vigie/x', 'w'); written = 'yes'
except OSError as error: written = error.strerror
found = [n for n in ('mlflow', 'sklearn', 'numpy', 'pandas', 'pip') if u.find_spec(n)]
print(json.dumps({'uid': os.getuid(), 'CapEff': said['CapEff'], 'NoNewPrivs': said['NoNewPrivs'],
  'written': written, 'imports': found}))
"""
CHILDREN = "print(open('/proc/1/task/1/children').read())"


@dataclass(frozen=True)
class Container:
    """A container of the serving image.

    Args:
        engine: runs it.
        name: its name.
        port: of this machine, where it answers.
    """

    engine: Engine
    name: str
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def python(self, code: str) -> str:
        """Run a program beside the server and return what it prints."""
        return self.engine.call("exec", self.name, "python", "-c", code)

    def predict(self) -> dict[str, Any]:
        """Return the answer to one customer."""
        answer: dict[str, Any] = (
            httpx.post(f"{self.url}/predict", json=_customer(), timeout=60).raise_for_status().json()
        )
        return answer

    def has_logged(self, answer: dict[str, Any]) -> bool:
        """Whether a prediction is in the log, by what the server says to its outcome."""
        told = {"prediction_id": answer["prediction_id"], "outcome": "oui"}
        kept = httpx.post(f"{self.url}/feedback", json=told, timeout=60).raise_for_status().json()
        return bool(kept.get("matched") is not False)

    def wait_ready(self) -> float:
        """Wait until it may take traffic; return the seconds it took."""
        began = time.monotonic()
        until(lambda: self._status("/readyz") == httpx.codes.OK, "it is ready")
        return time.monotonic() - began

    def is_gone(self) -> bool:
        """Whether it takes no new connection."""
        return self._status("/livez") is None

    def _status(self, path: str) -> int | None:
        try:
            return httpx.get(f"{self.url}{path}", timeout=10).status_code
        except httpx.TransportError:
            return None


def try_one_process(container: Container) -> None:
    """Try a server of one process, from its start to being killed and started again."""
    engine, name = container.engine, container.name
    click.echo(f"answers after {container.wait_ready():.1f} s")
    first = container.predict()
    click.echo(f"POST /predict: {first['prediction']}, probability {first['probability']:.3f}")
    expect(engine.is_healthy(name), "the container is healthy")
    state = json.loads(container.python(STATUS))
    expect(state["uid"] == 10001, "it runs as 10001")
    expect(int(state["CapEff"], 16) == 0, "it has no capability")
    expect(state["NoNewPrivs"] == "1", "it can gain none")
    expect(state["written"] == "Read-only file system", "its root file system is read-only")
    expect(state["imports"] == [], "neither MLflow nor scikit-learn, numpy or pip is in it")

    second = _answer_while_stopping(container)
    expect(engine.exit_code(name) == 0, "SIGTERM: what was under way is answered, and it ends with 0")
    engine.call("start", name)
    container.wait_ready()
    expect(container.has_logged(first) and container.has_logged(second), "both predictions are in the log")

    third = container.predict()
    engine.call("kill", "--signal", "KILL", name)
    until(lambda: engine.exit_code(name) == 137, "SIGKILL: it ends with 137")
    engine.call("start", name)
    container.wait_ready()
    expect(container.has_logged(third), "what was answered before is in the log")


def try_workers(container: Container) -> None:
    """Try a server of several processes that finds the log of the container before it."""
    container.wait_ready()
    before = container.python(CHILDREN).split()
    expect(len(before) == 2, "a new container on the same volume, with two workers")
    container.python(f"import os; os.kill({before[0]}, 9)")
    until(lambda: len(set(container.python(CHILDREN).split()) - {before[0]}) == 2, "a worker that dies is replaced")
    answer = container.predict()
    expect(container.has_logged(answer), "and it answers")
    container.engine.call("stop", "--time", "60", container.name)
    expect(container.engine.exit_code(container.name) == 0, "SIGTERM ends all of them, with 0")


def _answer_while_stopping(container: Container) -> dict[str, Any]:
    """Send half a request, stop the container, send the rest once it takes no other; return the answer."""
    body = json.dumps(_customer()).encode()
    head = (
        "POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", container.port), timeout=60) as line, ThreadPoolExecutor(1) as hand:
        line.sendall(head.encode())
        said = line.recv(1_024)
        expect(said.startswith(b"HTTP/1.1 100"), "a request is under way")
        stopped = hand.submit(container.engine.call, "stop", "--time", "60", container.name)
        until(container.is_gone, "told to stop, it takes no new one")
        line.sendall(body)
        with line.makefile("rb") as reader:
            answer = reader.read()
        stopped.result()
    expect(answer.startswith(b"HTTP/1.1 200"), "the one under way is answered")
    found: dict[str, Any] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return found


def _customer() -> dict[str, Any]:
    row: dict[str, Any] = churn_table(1, seed=1).drop_columns(["churn", "client_id"]).to_pylist()[0]
    return row
