"""Work beside a block begins with it, comes again, and ends with it."""

import threading
from queue import SimpleQueue

import pytest

from vigie.wiring.repeating import repeating


def test_work_is_done_at_once_and_again_after_what_it_returned():
    """An hour's pause would outlast the test."""
    pauses, done = iter([0.0, 0.0, 3600.0]), SimpleQueue()

    def work():
        done.put(threading.current_thread().name)
        return next(pauses)

    with repeating(work, name="some-work"):
        assert [done.get(timeout=60) for _ in range(3)] == ["some-work"] * 3


def test_it_ends_with_the_block_also_when_that_fails():
    """No thread is left that would go on."""
    with pytest.raises(ValueError, match="of the block"), repeating(lambda: 0.001, name="ends-with-it"):
        raise ValueError("of the block")
    assert "ends-with-it" not in {thread.name for thread in threading.enumerate()}
