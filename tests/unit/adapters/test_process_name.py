"""A process is told apart from all that came after it."""

import os
import subprocess
import sys

import psutil
import pytest

from vigie.adapters.process_name import has_ended, process_name

HOST, PID, BEGAN = process_name().rsplit(":", 2)


def test_this_process_runs():
    """Its own name is not that of one that is gone."""
    assert int(PID) == os.getpid()
    assert not has_ended(process_name())


def test_a_killed_process_has_ended_before_and_after_its_parent_looks():
    """A zombie writes nothing any more."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        name = process_name(process.pid)
        assert not has_ended(name)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # ended, and not yet taken note of
        assert has_ended(name)
    assert has_ended(name)


def test_a_number_that_was_given_again_is_another_process():
    """The time it began tells."""
    assert has_ended(f"{HOST}:{PID}:{int(BEGAN) - 3600}")


@pytest.mark.parametrize("name", ["", "nobody", "elsewhere-{host}:1:0", "{host}:x:1", "{host}:1", ":{pid}:1", "a:b:c"])
def test_what_is_not_known_here_is_left_alone(name):
    """Another machine's process, or no name of a process."""
    assert not has_ended(name.format(host=HOST, pid=PID))


def test_there_is_no_name_for_no_process():
    """Nobody can be asked for the time it began."""
    with pytest.raises(psutil.NoSuchProcess):
        process_name(2**22 + 1)  # above the highest number that Linux gives
