"""Work that a thread does again and again beside a block."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_STOP_S = 10


@contextmanager
def repeating(work: Callable[[], float], *, name: str) -> Iterator[None]:
    """Work from a thread while the block runs.

    Args:
        work: called at once, then each time after as many seconds as it returned; while it works, the end of the block
            waits for it, ten seconds at most.
        name: of the thread.
    """
    stopped = threading.Event()

    def run() -> None:
        while not stopped.wait(work()):
            pass

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(_STOP_S)
