"""Windows merged into longer ones, so that a change too small for one window is seen over several.

Blocks of scale k hold 2**k consecutive windows; they end where the number of windows judged is a multiple of that. Each
scale has its own part of the budget, and each of its blocks a part of that.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from vigie.monitoring.counts import WindowCounts

LARGEST_SCALE = 8
"""Blocks hold at most 256 windows."""

SCALES = LARGEST_SCALE + 1
"""How many lengths of blocks there are, single windows among them."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Consecutive windows, added up.

    Attributes:
        scale: it holds ``2 ** scale`` windows.
        look: how many blocks of this scale there were, this one included; at least 1.
        counts: of all its windows.
        before: counts of the block before it; None for the first, and where it is not known.
    """

    scale: int
    look: int
    counts: WindowCounts
    before: WindowCounts | None

    @property
    def n_windows(self) -> int:
        """How many windows it holds."""
        return 1 << self.scale

    @property
    def previous(self) -> "Block | None":
        """The block before it at the same scale, as it was judged then; None where its counts are not known."""
        return None if self.before is None else Block(self.scale, self.look - 1, self.before, None)


def windows_needed(look: int) -> int:
    """Return how many windows before the ``look``-th one are added up when it is judged."""
    longest = min(look & -look, 1 << LARGEST_SCALE)
    return min(look, 2 * longest) - 1


def blocks_ending(current: WindowCounts, past: Sequence[WindowCounts], *, look: int) -> tuple[Block, ...]:
    """Return the blocks that end with a window, the window itself first.

    Args:
        current: the window.
        past: windows right before it, oldest first; what is missing at the beginning makes fewer blocks.
        look: the window's number, from 1.
    """
    windows, found, scale = [*past, current], [], 0
    while windows and look % 2**scale == 0 and scale <= LARGEST_SCALE:
        has_before = len(windows) > 1
        found.append(Block(scale, look // 2**scale, windows[-1], windows[-2] if has_before else None))
        # Pairs from the end: a block of the next scale is the last two of this one.
        windows = [windows[k - 1] + windows[k] for k in range(len(windows) - 1, 0, -2)][::-1] if has_before else []
        scale += 1
    return tuple(found)
