"""The search through a grid: an inner cross-validation that sees nothing of the rows its choice is judged on.

The value by which a point wins is optimistic, because it is the best of many: it is never the figure reported. That one
comes from the outer folds, each of which searches anew in its own training part (nested cross-validation).

Source:
    Cawley and Talbot (2010), On over-fitting in model selection and subsequent selection bias in performance
    evaluation, Journal of Machine Learning Research 11.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vigie.evaluation.metrics import Metric
from vigie.training.fitting import Fitting
from vigie.training.folds import folds_of
from vigie.training.split import Split

INNER_FOLDS = 3
"""Enough to rank points; each costs as many fits of every point in every outer fold."""


@dataclass(frozen=True, slots=True)
class Search:
    """What a search through a grid came to.

    Attributes:
        point: the winning values by parameter.
        n_points: points in the grid.
        n_tried: points tried before the time was up, at least one.
    """

    point: Mapping[str, Any]
    n_points: int
    n_tried: int


def search_grid(
    fitting: Fitting, split: Split, metric: Metric, *, n_points: int | None, enough: Callable[[], bool]
) -> Search:
    """Return the point of the candidate's grid that is best by inner cross-validation on ``split.train``.

    Points are visited in a random order that depends on the seed alone, so that a search cut short has not only seen
    the first values of each list. Of equals the one visited first wins.

    Args:
        fitting: candidate, rows and seed.
        split: its ``train`` rows are searched on; nothing else is looked at.
        metric: what makes a point better.
        n_points: how many to try; None for all.
        enough: asked after every point; True ends the search.

    Raises:
        DataError: the rows are too few to be folded.
    """
    points = fitting.candidate.points()
    order = np.random.default_rng(fitting.seed).permutation(len(points))[:n_points]
    if len(points) == 1:
        return Search(points[0], 1, 1)
    folds = folds_of(fitting.dataset, split, n_folds=INNER_FOLDS, seed=fitting.seed)
    direction = 1.0 if metric.greater_is_better else -1.0
    best, merit, tried = points[order[0]], -np.inf, 0
    for position in order:
        point = points[position]
        values = [metric.compute(fitting.ask(fitting.fitted(fit, point), check)) for fit, check in folds]
        tried += 1
        found = direction * float(np.mean(values))
        if found > merit:
            best, merit = point, found
        if enough():
            break
    return Search(best, len(points), tried)


def on_rows(split: Split, rows: np.ndarray) -> Split:
    """Return the split as if ``rows`` of its training part were all of it."""
    return replace(split, train=rows)
