"""Several workers behind one address: started, watched, replaced when they die, and drained together.

They are forked, so that they share what is loaded, the listening socket and the board of numbers. Whoever forks them
has no thread and holds nothing else that works: it only waits. If it is killed, its end of a pipe closes, which every
worker hears: they drain and end, too, and leave the address to a successor.
"""

import logging
import os
import resource
import signal
import threading
import time
from collections.abc import Callable
from typing import Final

from vigie.api.cells import Board
from vigie.api.exchange import renew
from vigie.api.telemetry import has_ended

logger = logging.getLogger("vigie.serve")

_TOLD: Final = (signal.SIGTERM, signal.SIGINT)
_LOOK_EVERY_S: Final = 0.05
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 10.0
_SOUND_S: Final = 30.0  # who lived as long had nothing wrong from birth
_OTHER_FILES: Final = 256  # beside connections: the log, the bundle, logs, pipes

Work = Callable[[int], None]
"""What a worker does until it is told to end, given its number."""


def supervise(board: Board, work: Work, when_told: Callable[[], None], look: Callable[[], None] | None = None) -> None:
    """Keep workers at work until SIGTERM or SIGINT; a second signal is passed on to them like the first.

    Args:
        board: where they count; says how many there are.
        work: what each does.
        when_told: called when the first signal comes.
        look: called again and again until then; it may start processes, but no thread.
    """
    signals: list[int] = []
    for number in _TOLD:
        signal.signal(number, lambda number, _frame: signals.append(number))
    lifeline = os.pipe()
    workers = [Worker(number, board, work, lifeline) for number in range(board.n_workers)]
    n_told = 0
    while n_told == 0 or any(worker.is_alive for worker in workers):
        if len(signals) > n_told:
            n_told += 1
            if n_told == 1:
                when_told()
            for worker in workers:
                worker.tell()
        for worker in workers:
            worker.look(time.monotonic(), may_start=n_told == 0)
        if look is not None and n_told == 0:
            look()
        time.sleep(_LOOK_EVERY_S)
    for end in lifeline:
        os.close(end)


def allow_files(n_connections: int) -> None:
    """Ask the system for as many open files as connections may take, and say so where it does not give them."""
    wanted = n_connections + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    given = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (given, hard))
    if given < wanted:
        told = "the system allows %d open files: fewer than serving.max_connections (%d) takes; see `ulimit -n`"
        logger.warning(told, given, n_connections)


class Worker:
    """The place of one worker, and the process that fills it.

    Args:
        number: which one.
        board: where they count.
        work: what it does.
        lifeline: the two ends of a pipe that nobody writes to: its end says that the parent is gone.
    """

    def __init__(self, number: int, board: Board, work: Work, lifeline: tuple[int, int]) -> None:
        self._number = number
        self._cells = board.cells(number)
        self._work = work
        self._lifeline = lifeline
        self._pid = 0
        self._started_at = 0.0
        self._may_start_at = 0.0
        self._pause_s = _FIRST_PAUSE_S

    @property
    def is_alive(self) -> bool:
        """Whether there is a process."""
        return self._pid != 0

    def tell(self) -> None:
        """Pass a signal on."""
        if self._pid:
            os.kill(self._pid, signal.SIGTERM)

    def look(self, now_s: float, *, may_start: bool) -> None:
        """Note whether the process has ended, and start one where there is none, each time after a longer pause.

        Args:
            now_s: seconds, of a clock that does not go back.
            may_start: whether workers are still wanted.
        """
        if self._pid:
            found, status, used = os.wait4(self._pid, os.WNOHANG)
            if not found:
                return
            has_ended(self._cells, used.ru_utime + used.ru_stime)
            if may_start:
                self._note_death(os.waitstatus_to_exitcode(status), now_s)
            self._pid = 0
        if may_start and now_s >= self._may_start_at:
            self._start(now_s)

    def _note_death(self, code: int, now_s: float) -> None:
        if now_s - self._started_at > _SOUND_S:
            self._pause_s = _FIRST_PAUSE_S
        how = f"was killed by signal {-code}" if code < 0 else f"ended with {code}"
        logger.error("worker %d (process %d) %s: another starts in %.1f s", self._number, self._pid, how, self._pause_s)
        self._may_start_at = now_s + self._pause_s
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)

    def _start(self, now_s: float) -> None:
        # A signal between the fork and the worker's own handlers would be noted in a copy that nobody reads.
        signal.pthread_sigmask(signal.SIG_BLOCK, _TOLD)
        pid = os.fork()
        if pid == 0:
            _live(self._number, self._work, self._lifeline)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _TOLD)
        self._pid, self._started_at = pid, now_s


def _live(number: int, work: Work, lifeline: tuple[int, int]) -> None:
    """Be a worker, from its fork to its end; never returns."""
    code = 1
    try:
        os.setsid()  # Ctrl-C in a terminal reaches the parent alone, which then tells its workers
        reading, writing = lifeline
        os.close(writing)
        for told in _TOLD:
            signal.signal(told, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _TOLD)
        threading.Thread(target=_end_with_parent, args=(reading,), name="vigie-parent", daemon=True).start()
        renew()
        work(number)
        code = 0
    except BaseException:
        # The promise kept here: whatever ends a worker is told, and ends no more than that worker.
        logger.exception("worker %d failed", number)
    finally:
        logging.shutdown()
        os._exit(code)


def _end_with_parent(reading: int) -> None:
    os.read(reading, 1)
    os.kill(os.getpid(), signal.SIGTERM)
