"""The process beside a server is started again when it ends, and ends with it."""

import logging
import sys
import time

import pytest

from vigie.wiring import following
from vigie.wiring.following import Follower, looked_after

ENDS = (sys.executable, "-c", "raise SystemExit(3)")
STAYS = (sys.executable, "-c", "import time; print('here', flush=True); time.sleep(600)")


@pytest.fixture
def quick(monkeypatch):
    """Make pauses short."""
    monkeypatch.setattr(following, "_FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(following, "_LOOK_EVERY_S", 0.01)


def wait(condition):
    """Wait until something holds, for a minute at most."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.usefixtures("quick")
def test_one_that_ends_is_started_again_and_said(caplog):
    """Each time after a longer pause."""
    follower = Follower(ENDS)
    with caplog.at_level(logging.ERROR), looked_after(follower):
        wait(lambda: len(caplog.messages) >= 3)
    follower.end()
    assert caplog.messages[:3] == [
        f"the follower ended with 3: another starts in {pause} s; no promotion is served meanwhile"
        for pause in ("0.0", "0.0", "0.0")
    ]


def test_one_that_stays_is_left_alone_until_the_end():
    """And none is left then."""
    follower = Follower(STAYS)
    follower.look()
    process = follower._process
    follower.look()
    assert follower._process is process
    follower.end()
    assert process.returncode is not None


def test_one_that_was_killed_is_named_so(caplog):
    """By its signal."""
    follower = Follower(STAYS)
    follower.look()
    follower._process.kill()
    follower._process.wait()
    with caplog.at_level(logging.ERROR):
        follower.look()
    assert caplog.messages == [
        "the follower was killed by signal 9: another starts in 0.5 s; no promotion is served meanwhile"
    ]
