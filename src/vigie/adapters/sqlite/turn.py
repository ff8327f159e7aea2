"""A process's turn to write, waited for in the kernel's queue, but not for ever."""

import fcntl
import os
import threading
from pathlib import Path


class Turn:
    """An exclusive ``flock`` on a file beside a database; one thread at a time may take it.

    ``flock`` wakes a waiting process at once, where polling (SQLite's own way) sleeps through its turn, but it knows no
    time limit. So the first try does not wait, and when somebody else has the turn, a thread of ours waits in the
    kernel while the caller waits for that thread, up to a limit. A caller who gave up and comes back finds its place
    in the queue kept.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, or make it; OSError when that cannot be done."""
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        self._mutex = threading.Lock()
        self._granted = threading.Event()
        self._asked = False  # a thread waits in the kernel
        self._wanted = False  # and a caller for that thread
        self._closed = False

    def take(self, timeout_s: float) -> bool:
        """Return whether this process has the turn now; False when others kept it for the whole time."""
        with self._mutex:
            if not self._asked:
                try:
                    fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    self._asked = True
                    self._granted.clear()
                    threading.Thread(target=self._wait_in_kernel, name="vigie-turn", daemon=True).start()
                else:
                    return True
            self._wanted = True
        if self._granted.wait(timeout_s):
            return True
        with self._mutex:
            self._wanted = False
            return self._granted.is_set()  # it came between the two lines above

    def give_back(self) -> None:
        """Let the next process write."""
        with self._mutex:
            if self._granted.is_set():
                self._granted.clear()
            fcntl.flock(self._fd, fcntl.LOCK_UN)

    def close(self) -> None:
        """Release the file; when a thread of ours still waits, it does so at its turn."""
        with self._mutex:
            self._closed = True
            if not self._asked:
                os.close(self._fd)

    def _wait_in_kernel(self) -> None:
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        with self._mutex:
            self._asked = False
            if self._wanted:
                self._wanted = False
                self._granted.set()
            else:
                fcntl.flock(self._fd, fcntl.LOCK_UN)
            if self._closed:
                os.close(self._fd)
