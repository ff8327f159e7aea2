"""Become a module that ends with the process that started it; what a server, ``vigie up`` and the demo start.

    python -m vigie.wiring.tied PARENT vigie serve --project …

A process that is killed can tell nobody. Linux tells its children, by the signal they asked for, and goes on doing so
after ``exec``: the module then ends as after any SIGTERM, whatever became of its parent, even while it is importing.
Other systems have nothing of the kind; there only a parent that ends by itself takes its children along.
"""

import ctypes
import os
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1  # <linux/prctl.h>


def tied_to_this(module: str) -> list[str]:
    """Return the command line of a module that ends with this process; its arguments follow.

    Linux takes the end of the thread that started a process for its parent's end.
    """
    return [sys.executable, "-m", "vigie.wiring.tied", str(os.getpid()), module]


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
        os.execv(sys.executable, [sys.executable, "-m", *sys.argv[2:]])  # noqa: S606  our own command line
