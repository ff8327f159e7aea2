"""Which candidate is kept: the best by cross-validation, unless a simpler one cannot be told apart from it.

A simple model costs less to explain, to serve and to watch, and the first place among several that chance could reorder
is no reason to give that up. "Told apart" means: on the same out-of-fold rows, the interval of the difference of their
losses lies above zero.
"""

from collections.abc import Sequence

import numpy as np

from vigie.domain.task import Task
from vigie.evaluation.intervals import LEVEL
from vigie.evaluation.paired import PairedDifference, paired_difference
from vigie.training.candidates import Simplicity
from vigie.training.leaderboard import Choice, Entry

MOST_BLOCKS = 10_000
"""The bootstrap resamples at most as many blocks of rows: more would cost seconds and change no digit that is read."""

_LOSS = {Task.REGRESSION: "squared error", Task.BINARY: "log-loss", Task.MULTICLASS: "log-loss"}


def choose(entries: Sequence[Entry], task: Task, groups: np.ndarray | None, rng: np.random.Generator) -> Choice:
    """Return which entry is kept, and why.

    The simplest come first: linear models before flexible ones, of linear ones those that keep fewer features. The
    first that cannot be told apart from the best is kept.

    Args:
        entries: best first by cross-validation, without the dummy, at least one; all with the same out-of-fold rows.
        task: what they answer.
        groups: shape (n,), whom each out-of-fold row is about, where rows of one belong together; None where each row
            stands for itself.
        rng: source of the bootstrap.
    """
    best = entries[0]
    simpler = sorted((entry for entry in entries[1:] if _rank(entry) < _rank(best)), key=_rank)
    if not simpler:
        return Choice(best.name, best.name, f"kept {best.name}: best in cross-validation, and none is simpler.", {})
    compared: dict[str, PairedDifference] = {}
    for entry in simpler:
        found = paired_difference(*_in_blocks(entry.losses, best.losses, groups), rng=rng, level=LEVEL)
        compared[entry.name] = found
        if found.interval.low <= 0:
            reason = (
                f"kept {entry.name}: {best.name} is ahead in cross-validation, but cannot be told apart: its mean "
                f"{_figures(found, task)} on {len(best.losses):,} out-of-fold rows; {entry.name} is simpler "
                f"({_simpler(entry, best)})."
            )
            return Choice(best.name, entry.name, reason, compared)
    closest = min(compared, key=lambda name: compared[name].mean)
    figures = _figures(compared[closest], task)
    reason = f"kept {best.name}: every simpler one is worse beyond chance; against {closest} its mean {figures}."
    return Choice(best.name, best.name, reason, compared)


def _rank(entry: Entry) -> tuple[Simplicity, int]:
    kept = entry.n_features_in if entry.n_features_kept is None else entry.n_features_kept
    return entry.simplicity, kept


def _in_blocks(first: np.ndarray, second: np.ndarray, groups: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return both losses summed within blocks, scaled so that their means stay those of the rows.

    Rows of one entity are not independent, so entities are what is drawn again. Without entities, many rows are dealt
    into blocks: the mean of random blocks varies as the mean of their rows does.
    """
    n = len(first)
    if groups is None:
        if n <= MOST_BLOCKS:
            return first, second
        groups = np.arange(n) % MOST_BLOCKS
    blocks = np.unique(groups, return_inverse=True)[1]
    scale = (blocks.max() + 1) / n
    return np.bincount(blocks, first) * scale, np.bincount(blocks, second) * scale


def _figures(found: PairedDifference, task: Task) -> str:
    low, high = found.interval.low, found.interval.high
    return f"{_LOSS[task]} is {found.mean:.4g} lower [{low:.4g}, {high:.4g}]"


def _simpler(entry: Entry, best: Entry) -> str:
    if entry.simplicity < best.simplicity:
        return "a linear model"
    return f"{entry.n_features_kept} features in place of {_rank(best)[1]}"
