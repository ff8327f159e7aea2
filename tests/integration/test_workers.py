"""Whoever keeps the workers: how it replaces those that die, and how it ends; in processes of their own, which fork."""

import re
import signal
import subprocess
import sys

import pytest

KEEP = """
import logging, os, signal, sys, time
from vigie.api.cells import Board
from vigie.wiring.workers import supervise
logging.basicConfig(level=logging.INFO, format="%(message)s")
board, n_workers = Board(2), 2
def fail(number):
    raise RuntimeError("of no use")
def wait(number):
    told = []
    signal.signal(signal.SIGTERM, lambda *_: told.append(1))
    os.write(1, b"waits\\n")  # one write: two workers' lines never mix, not even with PYTHONUNBUFFERED
    while len(told) < 2:
        time.sleep(0.02)
def end(number):
    board.cells(number).add(("starts",), 1)
print("kept", flush=True)
supervise(board, WORK, lambda: print("told", flush=True))
print("ended", [board.cells(number).read().get(("starts",), [0])[0] for number in range(2)], flush=True)
"""


@pytest.fixture
def keep():
    """Give a function that starts a process that keeps two workers; it is killed at the end if need be."""
    started = []

    def start(work):
        code = KEEP.replace("WORK", work)
        process = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        started.append(process)
        assert process.stdout.readline() == "kept\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def _heard(process, pattern, times):
    """Return what a process says until lines have matched so many times."""
    said, found = [], 0
    while found < times:
        line = process.stdout.readline()
        assert line, "".join(said)
        said.append(line)
        found += re.search(pattern, line) is not None
    return "".join(said)


def test_who_fails_is_started_again_after_longer_and_longer_pauses(keep):
    """0.1 s, 0.2 s, 0.4 s, 0.8 s; the end is heard meanwhile."""
    process = keep("fail")
    said = _heard(process, r"worker 0 .* another starts", 4)
    process.send_signal(signal.SIGTERM)
    said += process.communicate(timeout=60)[0]
    pauses = re.findall(r"worker 0 \(process \d+\) ended with 1: another starts in (.*) s", said)
    assert pauses[:4] == ["0.1", "0.2", "0.4", "0.8"]
    assert process.returncode == 0
    assert said.count("told") == 1


def test_who_ends_is_started_again(keep):
    """Also one that somebody told to end, alone: that is how one worker is renewed without a failed request."""
    process = keep("end")
    said = _heard(process, r"worker 0 .* another starts", 2) + _heard(process, r"worker 1 .* another starts", 2)
    process.send_signal(signal.SIGINT)
    said += process.communicate(timeout=60)[0]
    assert re.search(r"worker 1 \(process \d+\) ended with 0: another starts", said)
    starts = [float(n) for n in re.search(r"ended \[(.*)\]", said)[1].split(", ")]
    assert min(starts) >= 2


def test_a_second_signal_is_passed_on(keep):
    """The workers here wait for two."""
    process = keep("wait")
    _heard(process, "waits", 2)
    process.send_signal(signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1.0)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


FILES = """
import resource
from vigie.wiring.workers import allow_files
resource.setrlimit(resource.RLIMIT_NOFILE, (300, 400))
for n_connections in (10, 100, 10_000):
    allow_files(n_connections)
    print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


def test_files_for_the_connections_are_asked_for():
    """As many as the system gives; what it does not give is said, once."""
    done = subprocess.run([sys.executable, "-c", FILES], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["300", "356", "400"]
    assert done.stderr.count("ulimit -n") == 1
