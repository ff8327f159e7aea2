"""What the demo needs from the real world: a project on disk, the real server, and a client that talks HTTP to it."""

import itertools
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from vigie.errors import StorageError
from vigie.settings import PREFIX
from vigie.testing.tables import CHURN_FEATURES, churn_table
from vigie.wiring.repeating import repeating
from vigie.wiring.up import start, stop

SEED = 7
N_TRAINING = 8_000
READY_S = 60.0

_TOML = """\
# The demo's project: a churn model, time compressed. The data is invented (vigie.testing.tables.churn_table).

[project]
name = "churn"

[data]
source = "data/churn.parquet"
target = "churn"
positive = "oui"
entity = "client_id"

[training]
candidates = ["logistic", "gradient_boosting"]

[retraining]
cooldown = "1h"

[serving]
follow_every = "200ms"
"""


def write_project(folder: Path) -> None:
    """Write a churn project that any command of Vigie works in."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    (folder / "vigie.toml").write_text(_TOML, encoding="utf-8")
    pq.write_table(churn_table(N_TRAINING, seed=SEED), folder / "data" / "churn.parquet")


@contextmanager
def running_server(folder: Path) -> Iterator[str]:
    """Run ``vigie serve`` on a free port and yield its URL once it is ready to answer.

    Raises:
        StorageError: it ended, or was not ready within a minute.
    """
    port = _free_port()
    log = folder / "server.log"
    process = start(folder, "serve", ["--port", str(port)], log=log, environ=_own_environment())
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + READY_S
        while not _is_ready(url):
            if process.poll() is not None or time.monotonic() > deadline:
                raise StorageError("vigie serve", f"it did not become ready: {log.read_text()[-500:]}", retryable=True)
            time.sleep(0.1)
        yield url
    finally:
        stop([process])


@dataclass
class Tally:
    """What the clients saw: answers by version, requests, and requests that did not get a 200."""

    answers: dict[str, int] = field(default_factory=dict)
    requests: int = 0
    failed: int = 0

    @property
    def predictions(self) -> int:
        """Answers in all."""
        return sum(self.answers.values())


class Customers:
    """The application that asks for predictions, and later learns what happened.

    Args:
        url: of the server.
        tally: where every request is counted.
    """

    def __init__(self, url: str, tally: Tally) -> None:
        self._http = httpx.Client(base_url=url, timeout=30.0)
        self._tally = tally
        self._counting = threading.Lock()

    def ask(self, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Ask for predictions, one row as an object, several as an array; return the answers, none after a failure."""
        body: Any = rows[0] if len(rows) == 1 else list(rows)
        try:
            answer = self._http.post("/predict", json=body)
        except httpx.HTTPError:
            self._count([], failed=True)
            return []
        answers = answer.json() if answer.status_code == httpx.codes.OK else []
        answers = answers if isinstance(answers, list) else [answers]
        self._count(answers, failed=answer.status_code != httpx.codes.OK)
        return answers

    def tell(self, answers: Sequence[dict[str, Any]], outcomes: Sequence[str]) -> None:
        """Send what happened."""
        items = [
            {"prediction_id": answer["prediction_id"], "outcome": outcome}
            for answer, outcome in zip(answers, outcomes, strict=True)
        ]
        self._http.post("/feedback", json=items).raise_for_status()

    def metrics(self) -> str:
        """Return what Prometheus would scrape."""
        return self._http.get("/metrics").raise_for_status().text

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _count(self, answers: Sequence[dict[str, Any]], *, failed: bool) -> None:
        with self._counting:
            self._tally.requests += 1
            self._tally.failed += failed
            for answer in answers:
                version = answer["model"]["version"]
                self._tally.answers[version] = self._tally.answers.get(version, 0) + 1


def live_through(
    customers: Customers, table: pa.Table, *, singles: int, batch: int, known: float, told: Callable[[int], None]
) -> None:
    """Send a table as traffic: some rows one by one, the rest in arrays; tell the outcome of a share of them.

    Args:
        customers: the client.
        table: from ``churn_table``.
        singles: rows to send one by one.
        batch: rows in each array after that.
        known: share of rows whose outcome comes back, in [0, 1].
        told: called with the number of rows sent, after each request.
    """
    rows = table.select([*CHURN_FEATURES, "client_id"]).to_pylist()
    outcomes = table.column("churn").to_pylist()
    rng = np.random.default_rng(SEED)
    bounds = [*range(singles), *range(singles, len(rows), batch), len(rows)]
    for low, high in itertools.pairwise(bounds):
        answers = customers.ask(rows[low:high])
        kept = [
            (answer, outcome)
            for answer, outcome in zip(answers, outcomes[low:high], strict=False)
            if rng.random() < known
        ]
        if kept:
            customers.tell([answer for answer, _ in kept], [outcome for _, outcome in kept])
        told(high - low)


def trickle(customers: Customers, table: pa.Table, *, pause_s: float) -> AbstractContextManager[None]:
    """Keep asking for one prediction after another, in the background, while something else goes on."""
    rows = itertools.cycle(table.select(list(CHURN_FEATURES)).to_pylist())

    def ask() -> float:
        customers.ask([next(rows)])
        return pause_s

    return repeating(ask, name="vigie-demo-trickle")


def wait_for_version(url: str, version: str) -> float:
    """Wait until the server answers with a version; return the seconds it took.

    Raises:
        StorageError: it did not within a minute.
    """
    began = time.monotonic()
    while time.monotonic() - began < READY_S:
        health = httpx.get(f"{url}/health", timeout=10).json()
        if (health["model"] or {}).get("version") == version:
            return time.monotonic() - began
        time.sleep(0.05)
    raise StorageError("vigie serve", f"it does not serve version {version}.", retryable=True)


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=2).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _own_environment() -> dict[str, str]:
    """Return the environment without settings of other projects: the demo has a store of its own."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(PREFIX) and name != "MLFLOW_TRACKING_URI"
    }


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
