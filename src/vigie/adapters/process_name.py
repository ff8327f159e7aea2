"""A process named so that others can tell later whether it still runs: machine, number, when it began.

A number alone would be taken for another process that came after; the time it began tells them apart, also after the
machine started anew. Two machines of one name must not share a store: each would take the other's processes for gone.
"""

import os
import socket
from typing import Final

import psutil

SLACK_S: Final = 5.0
"""How far two readings of one beginning may be apart: it is counted from the start of the machine, by a clock that is
set while it runs."""


def process_name(pid: int | None = None) -> str:
    """Return the name of a process that runs on this machine, by default this one.

    Raises:
        psutil.NoSuchProcess: none has this number.
    """
    pid = os.getpid() if pid is None else pid
    return f"{socket.gethostname()}:{pid}:{psutil.Process(pid).create_time():.0f}"


def has_ended(name: str) -> bool:
    """Whether a named process of this machine is surely gone; False for another machine's, and for no such name."""
    host, *numbers = name.rsplit(":", 2)
    if host != socket.gethostname() or len(numbers) != 2 or not all(number.isdecimal() for number in numbers):
        return False
    pid, began_s = map(int, numbers)
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:  # killed, and its parent has not looked yet
            return True
        return abs(process.create_time() - began_s) > SLACK_S
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:  # there is one, and it is another user's: leave it alone
        return False
