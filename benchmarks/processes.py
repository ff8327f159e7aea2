"""Each engine runs in a process of its own; what it cost is read from the system, not from the engine."""

import json
import os
import resource
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
"""The folder that holds ``benchmarks``; children start here."""

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "LOKY_MAX_CPU_COUNT"), "1"
)

_LAST_LINES = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What a child said, and what it cost.

    Attributes:
        value: its JSON.
        cpu_s: user and system time of the child and of every process it waited for.
        wall_s: from start to end.
    """

    value: Any
    cpu_s: float
    wall_s: float


@dataclass(frozen=True, slots=True)
class Failure:
    """A child that gave no answer, and why."""

    why: str


def run_child(command: Sequence[str], *, request: Any, timeout_s: float, own_path: bool = True) -> Answer | Failure:
    """Run one child to its end: a JSON object on standard input, one on standard output.

    Children run one after another: their CPU time is what this process's finished children used meanwhile.

    Args:
        command: the program and its arguments.
        request: becomes JSON.
        timeout_s: after this, the child and all its processes are ended, and the answer is a failure.
        own_path: whether the child sees this process's PYTHONPATH; peers must not find our packages among theirs.
    """
    before, started = _cpu_of_children(), time.perf_counter()
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env=_environment(os.environ, own_path=own_path),
        start_new_session=True,
    ) as process:
        try:
            out, err = process.communicate(json.dumps(request).encode(), timeout=timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return Failure(f"it had not ended after {timeout_s:.0f} s")
    wall_s, cpu_s = time.perf_counter() - started, _cpu_of_children() - before
    if process.returncode != 0:
        return Failure(f"it ended with {process.returncode}: {_tail(err)}")
    try:
        return Answer(json.loads(out), cpu_s, wall_s)
    except ValueError:
        return Failure(f"its answer was no JSON: {_tail(out)}")


def _environment(environ: Mapping[str, str], *, own_path: bool) -> dict[str, str]:
    """Return this process's environment with one thread, and with compiled modules kept as on any user's machine."""
    left_out = {"PYTHONDONTWRITEBYTECODE"} | (set() if own_path else {"PYTHONPATH"})
    return {name: value for name, value in environ.items() if name not in left_out} | ONE_THREAD


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _tail(output: bytes) -> str:
    lines = [line.strip() for line in output.decode(errors="replace").splitlines() if line.strip()]
    return " | ".join(lines[-_LAST_LINES:])[:500] or "it said nothing"
