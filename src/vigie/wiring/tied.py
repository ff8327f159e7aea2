"""Become a command of Vigie that ends with the process that started it; what ``vigie up`` and the demo start.

    python -m vigie.wiring.tied PARENT serve --project …

A process that is killed can tell nobody. Linux tells its children, by the signal they asked for, and goes on doing so
after ``exec``: the command then ends as after any SIGTERM, whatever became of its parent. Other systems have nothing
of the kind; there only a parent that ends by itself takes its children along.
"""

import ctypes
import os
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1  # <linux/prctl.h>


def tie(parent: int) -> bool:
    """Ask for SIGTERM when the parent ends; return whether it is still there.

    Args:
        parent: its process id, as it said itself: a parent that was killed before this was asked is never told of.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    return os.getppid() == parent


if __name__ == "__main__":
    if tie(int(sys.argv[1])):
        os.execv(sys.executable, [sys.executable, "-m", "vigie", *sys.argv[2:]])  # noqa: S606  our own command line
