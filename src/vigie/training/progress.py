"""How far the fits of a training have come, told while they go on."""

from collections.abc import Callable
from dataclasses import dataclass

from vigie.training.candidates import Candidate
from vigie.training.tuning import INNER_FOLDS

Progress = Callable[[str, int, int], None]
"""Called with the candidate's name, fits done and fits to do, before the first fit and after each."""


def n_fits(candidate: Candidate, n_folds: int) -> int:
    """Return how many fits it takes to judge a candidate: of all grid points in every fold, and on all rows."""
    n_points = len(candidate.points())
    if candidate.parts:
        return 1
    return (n_folds + 1) * (1 + (n_points * INNER_FOLDS if n_points > 1 else 0))


@dataclass(slots=True)
class Ticks:
    """How far one candidate has come.

    Attributes:
        name: the candidate's.
        done: fits so far, of all candidates.
        total: fits to do, of all candidates.
        progress: whom to tell.
        foregone: fits of this candidate that were counted and will not be done.
    """

    name: str
    done: int
    total: int
    progress: Progress
    foregone: int = 0

    def begin(self) -> None:
        """Tell whose turn it is."""
        self.progress(self.name, self.done, self.total)

    def forego(self, fits: int) -> None:
        """Take off what will not be done after all, so that the rest of the way is told as it is."""
        self.foregone += fits
        self.total -= fits

    def add(self, fits: int) -> None:
        """Tell of so many more fits."""
        self.catch_up(self.done + fits)

    def catch_up(self, done: int) -> None:
        """Tell that so many fits are done, unless that is known."""
        if done > self.done:
            self.done = done
            self.progress(self.name, done, self.total)
