"""A command that is tied to its parent runs only while there is one. About one CPU second."""

import os
import subprocess
import sys


def tied(parent, *arguments):
    """Run a command of Vigie, tied to a process, and return what it printed."""
    line = [sys.executable, "-m", "vigie.wiring.tied", str(parent), *arguments]
    return subprocess.run(line, capture_output=True, text=True, check=True).stdout


def test_it_becomes_the_command():
    """With its arguments."""
    assert tied(os.getpid(), "--version").startswith("vigie, version")


def test_a_parent_that_is_gone_already_is_noticed():
    """It was killed before anything could be asked for: nothing is started."""
    assert tied(os.getppid(), "--version") == ""
