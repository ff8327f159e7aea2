"""Processes that are going to die, and a shim between them and the disk."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def shim(tmp_path_factory):
    """Return the compiled shim; skip where there is no compiler or no Linux."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("the shim between a process and the disk needs a C compiler on Linux")
    library = tmp_path_factory.mktemp("shim") / "shim.so"
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", library, HERE / "shim.c", "-ldl", "-lpthread"]
    subprocess.run(command, check=True)
    return library


@pytest.fixture
def start():
    """Give a function that starts a process of clients; those that still run at the end are killed."""
    started = []

    def start_clients(path, *, seed=0, durable=True, n_requests=0, mode="honest", environment=()):
        arguments = [str(path), str(seed), "durable" if durable else "fast", str(n_requests), mode]
        process = subprocess.Popen(
            [sys.executable, str(HERE / "crash_clients.py"), *arguments],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **dict(environment)},
        )
        started.append(process)
        return process

    yield start_clients
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def tell(capsys):
    """Give a function that prints a figure, whatever pytest captures."""

    def say(line):
        with capsys.disabled():
            sys.stdout.write(f"\n{line}\n")

    return say
