"""The load: ``wrk``, one thread on a core of its own."""

import json
import os
import resource
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import Failure

SCRIPT = Path(__file__).with_name("post.lua")

SERVER_CORE, LOAD_CORE = 0, 1

NOTHING = Failure("no answer came")

_SPARE_S = 60


@dataclass(frozen=True, slots=True)
class Load:
    """What is sent, again and again.

    Attributes:
        port: where, on loopback.
        path: of the route.
        content_type: of the body.
        body: a file that holds it.
        connections: how many ask at a time, each waiting for its answer.
    """

    port: int
    path: str
    content_type: str
    body: Path
    connections: int


@dataclass(frozen=True, slots=True)
class Slice:
    """What some seconds of load found.

    Attributes:
        requests: answered.
        seconds: how long it took.
        p50_ms: median latency.
        p99_ms: 99th percentile.
        load_share: how much of its core the load itself used, 0 to 1; near 1, it was the load that was measured.
    """

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    load_share: float

    @property
    def per_s(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds


def is_available() -> bool:
    """Whether ``wrk`` and ``taskset`` are here."""
    return all(map(shutil.which, ("wrk", "taskset")))


def ask(load: Load, seconds: int) -> Slice | Failure:
    """Load a server for some seconds; any answer but 2xx, and any error of a socket, is a failure."""
    command = [
        "taskset", "-c", str(LOAD_CORE), "wrk", "-t1", f"-c{load.connections}", f"-d{seconds}s", "--timeout", "30s",
        "-s", str(SCRIPT), f"http://127.0.0.1:{load.port}{load.path}",
    ]  # fmt: skip
    env = os.environ | {"BODY": str(load.body), "TYPE": load.content_type}
    before = _cpu_of_children()
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=env, timeout=seconds + _SPARE_S)
    except subprocess.TimeoutExpired:
        return Failure("the load did not end")
    used_s = _cpu_of_children() - before
    if done.returncode != 0:
        return Failure(f"wrk ended with {done.returncode}: {done.stderr.strip()[-200:]}")
    return read_slice(done.stdout, used_s)


def read_slice(said: str, used_s: float) -> Slice | Failure:
    """Return what the script printed last.

    Args:
        said: all of the output.
        used_s: CPU seconds of the load.
    """
    found = json.loads(said.strip().splitlines()[-1])
    if found["faults"]:
        return Failure(f"{found['faults']:,} of {found['requests']:,} answers were not 2xx, or did not come")
    if not found["requests"]:
        return NOTHING
    share = used_s / found["seconds"]
    return Slice(found["requests"], found["seconds"], found["p50_ms"], found["p99_ms"], share)


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
