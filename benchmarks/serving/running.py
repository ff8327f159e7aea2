"""A server under measurement: started on a core of its own, watched, and stopped with all it started."""

import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.processes import ONE_THREAD, Failure
from benchmarks.serving.wrk import SERVER_CORE

START_S = 120.0
_ANSWER_S = 30.0
_STILL_S = 0.06
_LONGEST_STILL_S = 10.0

MIB = 2**20


class Running:
    """A server that was started.

    Args:
        process: its first process.
        port: where it listens.
    """

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.port = port
        self._process = psutil.Process(process.pid)
        self._popen = process

    @property
    def has_ended(self) -> bool:
        """Whether it ended by itself."""
        return self._popen.poll() is not None

    def cpu_s(self) -> float:
        """Return what its living processes used so far."""
        return sum(self._each(_cpu_s))

    def memory_mib(self) -> tuple[float, float]:
        """Return the resident memory of the process that answers first, and of all its processes together."""
        sizes = self._each(lambda process: process.memory_info().rss / MIB)
        return sizes[0], sum(sizes)

    def wait_until_still(self, longest_s: float = _LONGEST_STILL_S) -> None:
        """Return once it has used no CPU for a moment: what a slice left behind must not count for the next one."""
        deadline, before = time.monotonic() + longest_s, -1.0
        while time.monotonic() < deadline:
            now = self.cpu_s()
            if now == before:
                return
            before = now
            time.sleep(_STILL_S)

    def post(self, path: str, body: bytes, content_type: str) -> bytes:
        """Return the answer to one request; OSError where it is not 200 or none comes."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_ANSWER_S)
        try:
            connection.request("POST", path, body, {"Content-Type": content_type})
            response = connection.getresponse()
            said = response.read()
        except http.client.HTTPException as exc:
            raise OSError(str(exc)) from exc
        finally:
            connection.close()
        if response.status != 200:
            raise OSError(f"{response.status}: {said[:300].decode(errors='replace')}")
        return said

    def _each(self, look: Callable[[psutil.Process], float]) -> list[float]:
        found = []
        for process in (self._process, *self._process.children(recursive=True)):
            try:
                found.append(look(process))
            except psutil.NoSuchProcess:
                continue
        return found


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


@contextmanager
def run_server(command: Sequence[str], port: int, env: Mapping[str, str], log: Path) -> Iterator[Running]:
    """Run a server in a session of its own; at the end it is told to stop, and then made to.

    Args:
        command: the program and its arguments.
        port: that it was told to listen on.
        env: variables beside this process's.
        log: where it may write what it says.
    """
    left_out = {"PYTHONDONTWRITEBYTECODE"}
    whole = {name: value for name, value in os.environ.items() if name not in left_out} | ONE_THREAD | dict(env)
    pinned = ["taskset", "-c", str(SERVER_CORE), *command]
    with log.open("ab") as said:
        process = subprocess.Popen(pinned, stdout=said, stderr=said, env=whole, cwd=log.parent, start_new_session=True)
    try:
        yield Running(process, port)
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    family = [process.pid]
    try:
        family += [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pid in family[1:]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def wait_for_answer(server: Running, path: str, body: bytes, content_type: str) -> float | Failure:
    """Ask until the first answer, and return how many seconds that took."""
    started = time.perf_counter()
    why = "it never listened"
    while time.perf_counter() - started < START_S and not server.has_ended:
        try:
            server.post(path, body, content_type)
            return time.perf_counter() - started
        except OSError as exc:
            why = str(exc)
        time.sleep(0.01)
    return Failure(f"no answer in {time.perf_counter() - started:.0f} s: {why}")
