"""A module that is tied to its parent runs only while there is one. About one CPU second."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

PARENT = """
import subprocess, time
from vigie.wiring.tied import tied_to_this
print(subprocess.Popen([*tied_to_this("timeit"), "import time; time.sleep(600)"]).pid, flush=True)
time.sleep(600)
"""


def tied(parent, *arguments):
    """Run a module, tied to a process, and return what it printed."""
    line = [sys.executable, "-m", "vigie.wiring.tied", str(parent), *arguments]
    return subprocess.run(line, capture_output=True, text=True, check=True).stdout


def test_it_becomes_the_module():
    """With its arguments."""
    assert tied(os.getpid(), "vigie", "--version").startswith("vigie, version")


def test_a_parent_that_is_gone_already_is_noticed():
    """It was killed before anything could be asked for: nothing is started."""
    assert tied(os.getppid(), "vigie", "--version") == ""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the children of a process that is killed")
def test_it_ends_with_a_parent_that_is_killed():
    """Whatever it is doing: a follower that is still importing MLflow, at the lowest priority, asks nobody first."""
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        child = psutil.Process(int(parent.stdout.readline()))
        while "vigie.wiring.tied" in child.cmdline():
            time.sleep(0.01)
        parent.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs([child], 60)
    assert alive == []
