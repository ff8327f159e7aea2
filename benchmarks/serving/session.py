"""One case: its servers started together, their answers checked, then loaded slice by slice, and stopped."""

import json
import math
import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.catalogue import Say
from benchmarks.environments import EnvironmentFailedError, environment
from benchmarks.processes import ROOT, Failure
from benchmarks.serving.cases import Case
from benchmarks.serving.running import Running, free_port, run_server, wait_for_answer
from benchmarks.serving.targets import ECHO, JSON, Target, echo_command
from benchmarks.serving.wrk import NOTHING, Load, Slice, ask

TOLERANCE = 1e-9
"""Relative; answers that differ by more are wrong."""

MANY = 64

SETTLING_S = 60.0

_PATIENCE = 10


@dataclass(slots=True)
class Record:
    """What is known of one engine in one case: figures by name, one a round, or why there are none."""

    figures: dict[str, list[float]] = field(default_factory=dict)
    why: str = ""
    notes: list[str] = field(default_factory=list)

    def add(self, name: str, value: float) -> None:
        """Keep a figure."""
        self.figures.setdefault(name, []).append(value)


class Session:
    """The servers of one case.

    Args:
        case: what they serve.
        folder: for what they keep; on a disk, so that syncs cost what they cost.
        stack: closes the servers.
        say: takes lines of progress.
    """

    def __init__(self, case: Case, folder: Path, stack: ExitStack, say: Say) -> None:
        self.case = case
        self.records: dict[str, Record] = {}
        self._folder = folder
        self._stack = stack
        self._say = say
        self._servers: dict[str, Running] = {}
        self._bodies: dict[str, Load] = {}

    @property
    def alive(self) -> list[str]:
        """The engines that answer, the echo aside."""
        return [name for name in self._servers if name != ECHO and not self.records[name].why]

    def start_echo(self) -> None:
        """Start what the others are compared with."""
        port, folder = free_port(), self._own_folder(ECHO)
        server = self._stack.enter_context(
            run_server(echo_command(port), port, {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}, folder / "said.log")
        )
        self._begin(ECHO, server, "/", json.dumps(self.case.rows[0]).encode(), lambda _said: None)

    def start(self, target: Target) -> None:
        """Start a server and compare its answers with scikit-learn's; a failure is recorded."""
        self._say(f"  starting {target.name}")
        record = self.records[target.name] = Record()
        folder, port = self._own_folder(target.name), free_port()
        try:
            if target.environment is not None:
                environment(target.environment).build(self._say)
        except EnvironmentFailedError as exc:
            record.why = str(exc)
            return
        self.case.write(folder)
        record.why = target.prepare(target.python, self.case, folder) or ""
        if record.why:
            return
        command, env = target.command(target.python, folder, port), target.env(target.python, folder, port)
        if target.fills_cache:
            with run_server(command, port, env, folder / "said.log") as first:
                wait_for_answer(first, target.path(self.case), target.request(self.case.rows[:1]), JSON)
        server = self._stack.enter_context(run_server(command, port, env, folder / "said.log"))
        self._begin(
            target.name, server, target.path(self.case), target.request(self.case.rows[:1]),
            lambda running: check(running, target, self.case),
        )  # fmt: skip

    def settle(self) -> None:
        """Wait until nobody is busy with starting: Vigie's follower imports MLflow after its server answers."""
        for server in self._servers.values():
            server.wait_until_still(SETTLING_S)

    def slice(self, name: str, seconds: int, *, connections: int = MANY) -> Slice | None:
        """Load an engine with single rows; a failure ends it."""
        load = self._bodies[name]
        return self.ask(name, Load(load.port, load.path, load.content_type, load.body, connections), seconds)

    def bulk(self, name: str, path: str, content_type: str, body: bytes, seconds: int) -> Slice | None:
        """Load an engine with another body."""
        place = self._own_folder(name) / "bulk.bin"
        place.write_bytes(body)
        return self.ask(name, Load(self._servers[name].port, path, content_type, place, 2), seconds)

    def ask(self, name: str, load: Load, seconds: int) -> Slice | None:
        """Load an engine, once it is still, and note its CPU time."""
        server = self._servers[name]
        server.wait_until_still()
        for longer in (1, _PATIENCE):  # a machine that stood still for a whole slice says nothing of the server
            before = server.cpu_s()
            found = ask(load, longer * seconds)
            if found != NOTHING:
                break
        if isinstance(found, Failure):
            self.records[name].why = found.why
            return None
        if load.connections == MANY:
            self.records[name].add("cpu_us", (server.cpu_s() - before) / found.requests * 1e6)
        return found

    def weigh(self) -> None:
        """Note the memory of every server."""
        for name in self.alive:
            first, whole = self._servers[name].memory_mib()
            self.records[name].add("rss", first)
            self.records[name].add("rss_all", whole)

    def _begin(self, name: str, server: Running, path: str, body: bytes, look: Callable[[Running], str | None]) -> None:
        record = self.records.setdefault(name, Record())
        started = wait_for_answer(server, path, body, JSON)
        if isinstance(started, Failure):
            record.why = started.why
            return
        record.add("start", started)
        record.why = look(server) or ""
        place = self._own_folder(name) / "body.json"
        place.write_bytes(body)
        self._servers[name] = server
        self._bodies[name] = Load(server.port, path, JSON, place, MANY)

    def _own_folder(self, name: str) -> Path:
        folder = self._folder / re.sub(r"\W+", "-", f"{self.case.project} {name}".lower())
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def check(server: Running, target: Target, case: Case) -> str | None:
    """Return what is wrong with a server's answers to the case's rows, None when nothing is."""
    try:
        said = [
            target.read(json.loads(server.post(target.path(case), target.request([row]), JSON))) for row in case.rows
        ]
    except (OSError, ValueError, KeyError, IndexError, TypeError) as exc:
        return f"its answers cannot be read: {exc!r}"
    return differing(said, case.answers)


def differing(said: Sequence[float], expected: Sequence[float]) -> str | None:
    """Return how answers differ from scikit-learn's, None where they do not."""
    pairs = list(zip(said, expected, strict=True))
    wrong = [pair for pair in pairs if not math.isclose(*pair, rel_tol=TOLERANCE)]
    return f"{len(wrong)} of {len(pairs)} answers differ from scikit-learn's" if wrong else None
