"""A turn to write is waited for, but not for ever."""

import fcntl
import os
import threading
import time

import pytest

from vigie.adapters.sqlite.turn import Turn


@pytest.fixture
def turn(tmp_path):
    """Return one process's turn."""
    turn = Turn(tmp_path / "x.lock")
    yield turn
    turn.close()


@pytest.fixture
def other(tmp_path):
    """Return a descriptor that stands for another process."""
    fd = os.open(tmp_path / "x.lock", os.O_RDWR | os.O_CREAT)
    yield fd
    os.close(fd)


def is_free(other):
    """Whether another process could take the turn; it gives it back."""
    try:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(other, fcntl.LOCK_UN)
    return True


def becomes(wanted, question, timeout_s=10.0):
    """Whether the answer to a question becomes what is wanted."""
    end_s = time.monotonic() + timeout_s
    while time.monotonic() < end_s:
        if question() is wanted:
            return True
        time.sleep(0.005)
    return False


def test_free_turn_is_taken_at_once(turn, other):
    """A turn that nobody has is taken, kept from others, and given back."""
    assert turn.take(0.0)
    assert not is_free(other)
    turn.give_back()
    assert is_free(other)


def test_wait_ends_when_the_other_is_done(turn, other):
    """Whoever waits has the turn as soon as the other gives it back."""
    fcntl.flock(other, fcntl.LOCK_EX)
    threading.Timer(0.05, fcntl.flock, (other, fcntl.LOCK_UN)).start()
    assert turn.take(10.0)
    assert not is_free(other)
    turn.give_back()


def test_wait_is_bounded(turn, other):
    """A turn that others keep is given up after the time; then it goes back by itself, and can be taken later."""
    fcntl.flock(other, fcntl.LOCK_EX)
    assert not turn.take(0.02)
    assert not turn.take(0.02)
    fcntl.flock(other, fcntl.LOCK_UN)
    assert becomes(True, lambda: is_free(other))
    assert turn.take(10.0)
    turn.give_back()


def test_closing_while_waiting_leaves_nothing_locked(tmp_path, other):
    """A turn that was given up and closed does not keep the others out when it comes."""
    turn = Turn(tmp_path / "x.lock")
    fcntl.flock(other, fcntl.LOCK_EX)
    assert not turn.take(0.02)
    turn.close()
    fcntl.flock(other, fcntl.LOCK_UN)
    assert becomes(True, lambda: is_free(other))


def test_turns_follow_each_other(tmp_path):
    """Two holders who take turns many times are never in it together."""
    inside, seen = [], []

    def work(turn):
        for _ in range(50):
            assert turn.take(30.0)
            inside.append(1)
            seen.append(len(inside))
            inside.pop()
            turn.give_back()

    turns = [Turn(tmp_path / "x.lock") for _ in range(3)]
    threads = [threading.Thread(target=work, args=(turn,)) for turn in turns]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for turn in turns:
        turn.close()
    assert seen == [1] * 150
