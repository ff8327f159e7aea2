"""How uncertain a metric is, from one pass over its rows and no resampling.

Shares of rows get Wilson's interval; functions of means the delta method, and what it has no spread for, a recall of 0
or a precision of 1, Wilson's of the rows they are counted among; ROC-AUC DeLong's variance; the area under
the precision-recall curve an interval on the logit scale. Where no row differs from another, a metric of bounded rows
gets what rows never seen could still make of it, and any other none: an interval without width would claim to be sure.
All take rows as independent of each other: where rows repeat an entity or follow each other in time, they are too
narrow.
"""

from math import isfinite

import numpy as np
from scipy.special import ndtri
from scipy.stats import norm, rankdata

from vigie.domain.measurement import Interval, Measurement
from vigie.domain.task import Task
from vigie.evaluation.metrics import Counted, Metric, Scores, average_precision, metrics_for, positive_proba

LEVEL = 0.95
"""Share of repetitions in which a reported interval covers the truth."""

_ROUNDING = 1e-12
"""Differences that are no more than arithmetic's, as a share of what differs."""


def wilson(successes: float, n: int, level: float = LEVEL) -> Interval:
    """Return the interval of a proportion.

    Args:
        successes: how many of ``n`` rows, in [0, n].
        n: rows, at least one.
        level: coverage, in (0, 1).

    Returns:
        Ends in [0, 1] that hold the share itself: rounding does not part them where it is 0 or 1.

    Source:
        Wilson (1927), Probable inference, the law of succession, and statistical inference.
    """
    z = float(ndtri((1 + level) / 2))  # norm.ppf, a hundred times faster: a report has dozens of shares
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low, high = min(share, max(0.0, centre - half)), max(share, min(1.0, centre + half))
    return Interval(float(low), float(high), level)


def delta_interval(terms: np.ndarray, metric: Metric, level: float = LEVEL) -> Interval | None:
    """Return the interval of a smooth function of means; None below two rows.

    Args:
        terms: shape (n, k), the metric's per-row terms.
        metric: whose ``combine`` is differentiated numerically at the means.
        level: coverage, in (0, 1).

    Source:
        Oehlert (1992), A note on the delta method.
    """
    n = len(terms)
    if n < 2 or metric.combine is None:
        return None
    means = terms.mean(axis=0)
    value = metric.combine(means)
    slope = gradient(metric, means)
    variance = float(slope @ np.atleast_2d(np.cov(terms, rowvar=False)) @ slope) / n
    if not np.isfinite(value) or not np.isfinite(variance):
        return None
    half = float(norm.ppf((1 + level) / 2)) * float(np.sqrt(max(variance, 0.0)))
    return clipped(metric, value - half, value + half, level)


def edge_interval(terms: np.ndarray, counted: Counted, level: float = LEVEL) -> Interval | None:
    """Return the interval of a metric of counts of which every class has no miss or no hit; None where it is 0/0.

    The delta method sees no spread there, as if nothing else could have come. Each class's share has Wilson's interval
    among its own rows, at a level that holds for all classes together (Bonferroni); a class of no row may be anything.

    Args:
        terms: shape (n, k), the metric's per-row terms.
        counted: what their hits are counted among.
        level: coverage, in (0, 1).

    Source:
        Wilson (1927), as ``wilson``; Dunn (1961), Multiple comparisons among means, for several classes at once.
    """
    sums = terms.sum(axis=0)
    among = counted.among(sums)
    if not among.any():
        return None
    each = 1 - (1 - level) / len(among)
    hits = sums[: len(among)]
    ends = [wilson(float(k), int(n), each) if n else Interval(0.0, 1.0, each) for k, n in zip(hits, among, strict=True)]
    low = np.mean([counted.of_share(end.low) for end in ends])
    high = np.mean([counted.of_share(end.high) for end in ends])
    return Interval(float(low), float(high), level)


def alike_interval(value: float, reach: tuple[float, float], n: int, level: float = LEVEL) -> Interval:
    """Return the interval of a mean of terms that are all the same on these rows.

    The delta method sees no spread there. Rows that would differ were 0 of ``n``: Wilson's upper end bounds their share
    (3.8 / n at 95 %, two-sided), and they may be anything that a term can be.

    Args:
        value: of every term.
        reach: the smallest and the largest that a term can be.
        n: rows, at least one; for an area, pairs of rows that share none.
        level: coverage, in (0, 1).

    Source:
        Hanley and Lippman-Hand (1983), If nothing goes wrong, is everything all right? (the rule of three); its bound
        is taken from Wilson (1927), as for shares.
    """
    unseen, (least, most) = wilson(0, n, level).high, reach
    return Interval(value - unseen * (value - least), value + unseen * (most - value), level)


def gradient(metric: Metric, means: np.ndarray) -> np.ndarray:
    """Return the slope of a metric in each mean of its terms, shape (k,); NaN where there is none."""
    with np.errstate(invalid="ignore"):  # a root has no slope at zero: a perfect model has no interval
        return np.array([_slope(metric, means, k) for k in range(len(means))])


def auc_variance(scores: Scores) -> float:
    """Return the variance of ROC-AUC in O(n log n); NaN below two rows of either class.

    Source:
        DeLong, DeLong and Clarke-Pearson (1988); fast form: Sun and Xu (2014).
    """
    positive, score = scores.y == 1, positive_proba(scores)
    above, below = score[positive], score[~positive]
    m, n = len(above), len(below)
    if m < 2 or n < 2:
        return float("nan")
    overall = rankdata(np.concatenate([above, below]))
    v10 = (overall[:m] - rankdata(above)) / n
    v01 = 1.0 - (overall[m:] - rankdata(below)) / m
    return float(v10.var(ddof=1) / m + v01.var(ddof=1) / n)


def logit_interval(area: float, n_positive: int, level: float = LEVEL) -> Interval | None:
    """Return the interval of an average precision; None at 0, 1 or below two positive rows.

    Source:
        Boyd, Eng and Page (2013), Area under the precision-recall curve: point estimates and confidence intervals
        (logit interval, found to cover at the sample sizes they tried; approximate for few positives).
    """
    if n_positive < 2 or not 0 < area < 1:
        return None
    centre = float(np.log(area / (1 - area)))
    half = float(norm.ppf((1 + level) / 2)) / float(np.sqrt(n_positive * area * (1 - area)))
    return Interval(float(1 / (1 + np.exp(half - centre))), float(1 / (1 + np.exp(-half - centre))), level)


@np.errstate(over="ignore", invalid="ignore")  # where an error has no square there is no interval either
def interval(metric: Metric, scores: Scores, level: float = LEVEL) -> Interval | None:
    """Return a metric's interval on these rows, None where they are too few, or say nothing of it as none differs."""
    if len(scores) == 0:
        return None
    if metric.area is average_precision:
        return logit_interval(metric.compute(scores), int((scores.y == 1).sum()), level)
    if metric.terms is None:
        return _auc_interval(metric, scores, level)
    return _of_terms(metric, metric.terms(scores), level)


def measured(metric: Metric, scores: Scores, level: float = LEVEL, *, subject: str | None = None) -> Measurement:
    """Return a metric on these rows with its interval and sample size, and why it has no interval where it has none."""
    value, found, n = metric.compute(scores), interval(metric, scores, level), len(scores)
    reason = "" if found or not isfinite(value) else _without_interval(metric, scores, value)
    return Measurement(metric.name, value, metric.unit, n, subject=subject, interval=found, reason=reason)


def measure(scores: Scores, task: Task, level: float = LEVEL) -> tuple[Measurement, ...]:
    """Return every metric of a task on these rows, each with its interval and sample size."""
    return tuple(measured(metric, scores, level) for metric in metrics_for(task))


def are_alike(terms: np.ndarray) -> bool:
    """Whether terms, shape (n,), n at least one, are one and the same but for rounding."""
    return bool(np.isfinite(terms).all()) and bool(np.ptp(terms) <= _ROUNDING * np.abs(terms).max())


def clipped(metric: Metric, low: float, high: float, level: float) -> Interval:
    """Keep scores inside their range: losses are not negative, shares not above one."""
    if metric.name == "r2":
        return Interval(low, min(1.0, high), level)
    if metric.unit == "1":
        return Interval(max(0.0, low), min(1.0, high), level)
    return Interval(max(0.0, low), high, level)


def _of_terms(metric: Metric, terms: np.ndarray, level: float) -> Interval | None:
    counted = metric.counted
    if metric.is_share:
        return wilson(float(terms.sum()), len(terms), level)
    if counted and _on_edge(terms, counted):
        return edge_interval(terms, counted, level)
    if counted is None and are_alike(terms[:, 0]):
        return metric.reach and alike_interval(float(terms[0, 0]), metric.reach, len(terms), level)
    return delta_interval(terms, metric, level)


def _auc_interval(metric: Metric, scores: Scores, level: float) -> Interval | None:
    """Return DeLong's interval, or, where every pair of rows is ranked alike, that of as many pairs as share no row."""
    value, variance = metric.compute(scores), auc_variance(scores)
    if not np.isfinite(variance):
        return None
    if variance <= _ROUNDING**2:
        n_positive = int((scores.y == 1).sum())
        return alike_interval(value, (0.0, 1.0), min(n_positive, len(scores) - n_positive), level)
    half = float(norm.ppf((1 + level) / 2)) * float(np.sqrt(variance))
    return clipped(metric, value - half, value + half, level)


def _without_interval(metric: Metric, scores: Scores, value: float) -> str:
    n = len(scores)
    if n < 2 or (metric.area is not None and (0 < value < 1 or (scores.y == 1).sum() < 2)):
        return "Too few rows for an interval."
    if metric.terms is not None and not are_alike(metric.terms(scores)[:, 0]):
        return "Its spread is too large to be measured."
    return f"No row differs: n = {n:,} rows say nothing of its uncertainty."


def _on_edge(terms: np.ndarray, counted: Counted) -> bool:
    """Whether every class has no hit, or nothing but hits."""
    sums = terms.sum(axis=0)
    among = counted.among(sums)
    hits = sums[: len(among)]
    return bool(np.all((hits == 0) | (hits == among)))


def _slope(metric: Metric, means: np.ndarray, k: int) -> float:
    assert metric.combine is not None  # noqa: S101  callers checked; this tells the type checker
    step = 1e-6 * max(1e-3, abs(float(means[k])))
    up, down = means.copy(), means.copy()
    up[k] += step
    down[k] -= step
    return (metric.combine(up) - metric.combine(down)) / (2 * step)
