"""Work of a project that only one process at a time may do."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from vigie.adapters.sqlite.turn import Turn
from vigie.errors import StorageError
from vigie.settings import Settings
from vigie.wiring.state import state_folder

_WAIT_S: Final = 10.0


class Work(NamedTuple):
    """What is done alone: the name of its lock, and what is told to whoever waited in vain."""

    name: str
    told: str


KEEPING: Final = Work("keeping", "an export, an expiry or an erasure")
"""Copies and deletions: one would undo what the other does."""

WATCHING: Final = Work("watching", "a turn of another watcher")
"""Turns of the loop: two would judge one window twice, tell its alarm twice and spend two looks on it."""


@contextmanager
def alone(settings: Settings, work: Work) -> Iterator[None]:
    """Do work while nobody else of the project does the same. A killed process lets go at once.

    Raises:
        StorageError: somebody else is at it.
    """
    turn = Turn(state_folder(settings) / f"{work.name}.lock")
    try:
        if not turn.take(_WAIT_S):
            problem = f"{work.told} is at work."
            raise StorageError(str(settings.root), problem, retryable=True, remedy="Wait for it, then try again.")
        try:
            yield
        finally:
            turn.give_back()
    finally:
        turn.close()
