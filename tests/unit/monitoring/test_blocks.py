"""Which windows are added up at which look."""

import numpy as np
import pytest

from vigie.monitoring.blocks import LARGEST_SCALE, blocks_ending, windows_needed
from vigie.monitoring.counts import WindowCounts
from vigie.monitoring.grid import LevelCounts


def _windows(look):
    """Return windows 1 ... look; the k-th holds 2**k rows, so that a sum names its windows."""
    return [WindowCounts(1 << k, (), LevelCounts(np.array([1 << k, 0, 0]))) for k in range(1, look + 1)]


def _named(rows):
    return [k for k in range(1, 60) if rows >> k & 1]


def test_the_eighth_look_ends_a_block_of_every_scale_up_to_eight():
    """One, two, four and eight windows, each block beside the one before it."""
    *past, current = _windows(8)
    found = blocks_ending(current, past, look=8)
    assert [(block.scale, block.look, block.n_windows) for block in found] == [
        (0, 8, 1),
        (1, 4, 2),
        (2, 2, 4),
        (3, 1, 8),
    ]
    assert [_named(block.counts.n) for block in found] == [[8], [7, 8], [5, 6, 7, 8], [1, 2, 3, 4, 5, 6, 7, 8]]
    assert [block.before and _named(block.before.n) for block in found] == [[7], [5, 6], [1, 2, 3, 4], None]


def test_an_odd_look_ends_single_windows_only():
    """The seventh window completes no pair."""
    *past, current = _windows(7)
    assert [block.scale for block in blocks_ending(current, past, look=7)] == [0]


def test_the_previous_block_was_judged_one_look_before():
    """It spends its own part of the budget, and what came before it is not asked again."""
    *past, current = _windows(4)
    before = blocks_ending(current, past, look=4)[1].previous
    assert (before.scale, before.look, _named(before.counts.n), before.previous) == (1, 1, [1, 2], None)


@pytest.mark.parametrize("look", range(1, 40))
def test_needed_windows_are_enough_and_not_too_many(look):
    """With exactly these, the blocks are those of the whole history."""
    *past, current = _windows(look)
    needed = windows_needed(look)
    some = blocks_ending(current, past[len(past) - needed :], look=look)
    every = blocks_ending(current, past, look=look)
    assert [(b.scale, b.counts.n, b.before and b.before.n) for b in some] == [
        (b.scale, b.counts.n, b.before and b.before.n) for b in every
    ]


def test_a_history_that_is_gone_makes_fewer_blocks():
    """Expired windows cannot be added up; the window itself is judged all the same."""
    *past, current = _windows(8)
    assert [block.scale for block in blocks_ending(current, past[-2:], look=8)] == [0, 1]
    assert [block.scale for block in blocks_ending(current, (), look=8)] == [0]


def test_blocks_stop_growing():
    """A year of hours is not read again at every look."""
    assert windows_needed(2**14) == 2 ** (LARGEST_SCALE + 1) - 1
