"""Whether probabilities are what they say: of rows given 30 %, do three in ten come true?"""

from dataclasses import dataclass
from math import pi, sqrt
from typing import Any

import numpy as np
from scipy.stats import norm

from vigie.domain.measurement import Interval
from vigie.evaluation.intervals import LEVEL, wilson


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Rows of similar probability.

    Attributes:
        n: rows.
        said: their mean probability.
        came_true: share of them in which it happened.
        interval: of that share (Wilson).
    """

    n: int
    said: float
    came_true: float
    interval: Interval

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"n": self.n, "said": self.said, "came_true": self.came_true, "interval": self.interval.to_dict()}


@dataclass(frozen=True, slots=True)
class Reliability:
    """What was said beside what came true.

    Attributes:
        bins: in order of probability.
        error: expected calibration error, the mean gap between said and came true, weighted by rows, in [0, 1].
        error_by_chance: what ``error`` would be on average, on as many rows, if every probability were right. The
            error is a mean of absolute gaps, so it is never zero on a sample.
        n: rows.
        interval: of the expected calibration error in the same bins, given infinitely many rows. It covers at least
            its level: the noise of the gaps may add to the error at most its own mean.
    """

    bins: tuple[ReliabilityBin, ...]
    error: float
    error_by_chance: float
    n: int
    interval: Interval

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "error": self.error,
            "interval": self.interval.to_dict(),
            "error_by_chance": self.error_by_chance,
            "n": self.n,
            "bins": [item.to_dict() for item in self.bins],
        }


def reliability(happened: np.ndarray, proba: np.ndarray, *, n_bins: int, level: float = LEVEL) -> Reliability:
    """Compare probabilities with what came true, in bins of equal numbers of rows.

    Equal counts rather than equal widths: every bin then has about the same interval, and none is empty. Equal
    probabilities stay in one bin, so there may be fewer bins than asked for.

    Args:
        happened: shape (n,), true where the event came.
        proba: shape (n,), what was said of it, in [0, 1].
        n_bins: at most so many.
        level: coverage of the bins' intervals.

    Raises:
        ValueError: no row, or shapes differ.

    Source:
        Nixon et al. (2019), Measuring calibration in deep learning (adaptive bins); the mean absolute deviation of a
        normal variable gives the chance level.
    """
    if len(proba) == 0 or happened.shape != proba.shape:
        raise ValueError("calibration needs one outcome per probability, at least one")
    inner = np.unique(np.quantile(proba, np.linspace(0, 1, n_bins + 1)[1:-1]))
    place = np.searchsorted(inner, proba, side="left")
    bins = [_bin(happened[place == number], proba[place == number], level) for number in np.unique(place)]
    weights = np.array([item.n for item in bins]) / len(proba)
    gaps = np.array([abs(item.said - item.came_true) for item in bins])
    noise = np.array([np.sqrt(2 * item.said * (1 - item.said) / (np.pi * item.n)) for item in bins])
    error = float(weights @ gaps)
    return Reliability(
        tuple(bins), error, float(weights @ noise), len(proba), _error_interval(error, bins, weights, level)
    )


def _error_interval(error: float, bins: list[ReliabilityBin], weights: np.ndarray, level: float) -> Interval:
    """Return the interval that the triangle inequality gives: measured and true error differ by the mean noise at most.

    The noise of a bin is a normal variable's absolute value; the mean of several is taken as normal. Each share is
    moved one row towards either side, so that a bin in which nothing came true has noise too.
    """
    n = np.array([item.n for item in bins], dtype=np.float64)
    share = (np.array([item.came_true for item in bins]) * n + 1) / (n + 2)
    scale = weights * np.sqrt(share * (1 - share) / n)
    mean, spread = sqrt(2 / pi) * float(scale.sum()), sqrt(1 - 2 / pi) * float(np.sqrt(np.square(scale).sum()))
    most = mean + float(norm.ppf(level)) * spread
    return Interval(max(0.0, error - most), min(1.0, error + most), level)


def _bin(happened: np.ndarray, proba: np.ndarray, level: float) -> ReliabilityBin:
    hits = float(happened.sum())
    return ReliabilityBin(
        n=len(proba),
        said=float(proba.mean()),
        came_true=hits / len(proba),
        interval=wilson(hits, len(proba), level),
    )
