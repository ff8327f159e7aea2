"""The model that is kept: the mean of several fits, which only the winner is worth."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace

from vigie.errors import first_line
from vigie.evaluation.intervals import measure
from vigie.training.fitting import Fitting
from vigie.training.judging import Judge, unfit
from vigie.training.leaderboard import Entry, Leaderboard
from vigie.training.progress import Ticks
from vigie.training.split import Split


def with_all_fits(
    board: Leaderboard,
    tried: Sequence[Entry],
    fittings: Mapping[str, Fitting],
    split: Split,
    judge: Judge,
    ticks: Ticks,
) -> Leaderboard:
    """Return the board with the winner as the mean of all fits that it, or each part of a blend, is to have.

    What is left out stays as it was judged, after one fit.

    Args:
        board: with every candidate fitted once.
        tried: its entries in the order they were fitted in, not of merit: the sum of their scores rounds as it did
            when it was judged.
        fittings: how each was fitted, by name.
        split: the training rows, and those that measure the result.
        judge: what was the same for all candidates.
        ticks: with one fit to do.
    """
    kept = board.winner
    parts = [entry for entry in tried if entry.name in fittings[kept.name].candidate.parts]
    n_each = max(fittings[one.name].candidate.members for one in parts or [kept])
    if n_each == 1:
        ticks.forego(1)
        ticks.begin()
        return board
    ticks.name = f"{kept.name} (kept)"
    ticks.begin()
    whole = _whole(kept, parts, n_each, fittings, split, judge)
    ticks.add(1)
    return board.with_winner(whole)


def _whole(
    kept: Entry, parts: Sequence[Entry], n_each: int, fittings: Mapping[str, Fitting], split: Split, judge: Judge
) -> Entry:
    """Return the winner as the mean of all fits that it, or each part of a blend, is to have; the others keep one."""
    fitting, began = fittings[kept.name], judge.seconds()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what the first fit warned of is in the notes
            models = tuple(fittings[one.name].mean(one.model, split.train, one.point) for one in parts or [kept])
        model = fitting.blended(models, split.train) if parts else models[0]
        scores = fitting.ask(model, split.test)
    except unfit() as error:
        # what was judged is there, and can be kept as it is
        failed = f"kept as one fit: the next one failed ({type(error).__name__}: {first_line(error)})"
        return replace(kept, notes=(failed, *kept.notes))
    return replace(
        kept,
        model=model,
        parts=models if parts else (),
        test=measure(scores, fitting.dataset.schema.target.task),
        test_scores=scores,
        params={**kept.params, "fits": str(n_each)},
        seconds=kept.seconds + max(0.0, judge.seconds() - began),
        notes=(f"held out as the mean of {n_each} fits, which is kept; the others as one fit", *kept.notes),
    )
