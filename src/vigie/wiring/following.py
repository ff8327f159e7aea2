"""The follower of a server: a process beside it, started again whenever it ends by itself.

It imports MLflow, so it is the first that a machine short of memory takes away; without it no promotion and no
roll-back would ever be served again, and every answer would look well.
"""

import logging
import os
import subprocess
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Final

from vigie.wiring.repeating import repeating

_NICE: Final = 10
_LOOK_EVERY_S: Final = 1.0
_STOP_S: Final = 10
_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 60.0
_SOUND_S: Final = 60.0  # who lived so long did not fail at its start

logger = logging.getLogger("vigie.serve")


class Follower:
    """Keeps one process alive; ``look`` is called about once a second.

    Args:
        command: what runs.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = list(command)
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = self._may_start_at = 0.0
        self._pause_s = _FIRST_PAUSE_S

    def look(self) -> None:
        """Start the process where there is none, each time after a longer pause."""
        now = time.monotonic()
        if self._process is not None:
            code = self._process.poll()
            if code is None:
                return
            self._note_end(code, now)
        if now >= self._may_start_at:
            # A session of its own: Ctrl-C in a terminal reaches the server alone, which then ends its follower.
            self._process = subprocess.Popen(self._command, start_new_session=True)  # noqa: S603  our own module
            self._started_at = now
            os.setpriority(os.PRIO_PROCESS, self._process.pid, _NICE)  # its imports take seconds that answers need more

    def end(self) -> None:
        """End the process."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def _note_end(self, code: int, now: float) -> None:
        if now - self._started_at > _SOUND_S:
            self._pause_s = _FIRST_PAUSE_S
        how = f"was killed by signal {-code}" if code < 0 else f"ended with {code}"
        told = "the follower %s: another starts in %.1f s; no promotion is served meanwhile"
        logger.error(told, how, self._pause_s)
        self._process = None
        self._may_start_at = now + self._pause_s
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)


def looked_after(follower: Follower) -> AbstractContextManager[None]:
    """Look after a follower from a thread while the block runs: for a process that does not fork."""

    def look() -> float:
        follower.look()
        return _LOOK_EVERY_S

    return repeating(look, name="vigie-follower")
