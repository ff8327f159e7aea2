"""Children: their answers, their cost, and how they fail."""

import sys
import time
from typing import Any

import pytest

from benchmarks.processes import Answer, Failure, run_child

ECHO = "import json, sys; print(json.dumps(json.load(sys.stdin)))"
BURN = "import time\nwhile time.process_time() < 0.3: pass\n"


def ask(code: str, request: Any = None, **options: Any) -> Answer | Failure:
    """Run a line of Python as a child."""
    return run_child([sys.executable, "-c", code], request=request, **{"timeout_s": 60, **options})


def test_a_child_answers_its_request() -> None:
    """What goes in as JSON comes back as JSON."""
    found = ask(ECHO, {"n": [1, None, "é"]})
    assert isinstance(found, Answer)
    assert found.value == {"n": [1, None, "é"]}


@pytest.mark.parametrize(
    "code",
    [BURN + "print(0)", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BURN!r}]); print(0)"],
    ids=["itself", "its own child"],
)
def test_cpu_time_is_what_the_system_counted(code: str) -> None:
    """CPU time of the child and of its children is counted; time asleep is not (the control below)."""
    found = ask(code)
    assert isinstance(found, Answer)
    assert found.cpu_s >= 0.3


def test_sleeping_costs_no_cpu_time() -> None:
    """A child that waits is slow by the clock only."""
    found = ask("import time; time.sleep(1); print(0)")
    assert isinstance(found, Answer)
    assert found.wall_s >= 1 > found.cpu_s


def test_a_child_that_ends_badly_is_a_failure_with_its_last_words() -> None:
    """A peer that raises is reported with what it said, not as slow."""
    found = ask("raise RuntimeError('no such solver')")
    assert isinstance(found, Failure)
    assert "it ended with 1" in found.why
    assert "RuntimeError: no such solver" in found.why


def test_a_child_that_says_something_else_is_a_failure() -> None:
    """Text that is no JSON is no measurement."""
    assert ask("print('done!')") == Failure("its answer was no JSON: done!")


def test_a_child_that_does_not_end_is_ended() -> None:
    """After its time a child is stopped, with the processes it started."""
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
    started = time.perf_counter()
    assert ask(code, timeout_s=1) == Failure("it had not ended after 1 s")
    assert time.perf_counter() - started < 30


def test_peers_do_not_see_our_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """PYTHONPATH reaches Vigie's own children only; all have one thread and keep their compiled modules."""
    monkeypatch.setenv("PYTHONPATH", "somewhere")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    code = "import json, os; print(json.dumps(dict(os.environ)))"
    own, peer = ask(code), ask(code, own_path=False)
    assert isinstance(own, Answer)
    assert isinstance(peer, Answer)
    assert own.value["PYTHONPATH"] == "somewhere"
    assert "PYTHONPATH" not in peer.value
    assert own.value["OMP_NUM_THREADS"] == peer.value["OMP_NUM_THREADS"] == "1"
    assert "PYTHONDONTWRITEBYTECODE" not in peer.value


def test_what_a_library_prints_does_not_spoil_the_answer() -> None:
    """Only the answer goes to standard output, also when compiled code prints there."""
    code = """
import os
from benchmarks.children import answer_one

def handle(request):
    print("progress 1 %")
    os.write(1, b"progress 2 %")
    return request + 1

answer_one(handle)
"""
    found = ask(code, 1)
    assert isinstance(found, Answer)
    assert found.value == 2
