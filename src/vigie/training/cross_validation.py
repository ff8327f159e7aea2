"""What the folds say together: a metric's mean and how far it may be off, and each row's loss."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import t as student

from vigie.domain.measurement import Interval, Measurement
from vigie.domain.task import Task
from vigie.evaluation.intervals import LEVEL
from vigie.evaluation.metrics import Metric, Scores, row_losses
from vigie.training.folds import Fold


def cross_validated(metric: Metric, values: np.ndarray, folds: Sequence[Fold], *, n: int, repeats: int) -> Measurement:
    """Return the mean over all folds with the interval of the corrected resampled t.

    Folds share training rows, so their spread alone is too small a measure: to the share of each of k values, 1 / k,
    comes what one fold checks against what it learns from. Repeating folds narrows the first and never the second.
    No unbiased estimate exists, so the interval stays a guide.

    Args:
        metric: what ``values`` are.
        values: one a fold, shape (k,), k at least 2.
        folds: of all repeats, in the order of ``values``.
        n: training rows.
        repeats: how often the rows were dealt into folds.

    Source:
        Nadeau and Bengio (2003), Inference for the generalization error, Machine Learning 52, equation 8; over repeated
        folds: Bouckaert and Frank (2004), Evaluating the replicability of significance tests. Why a correction is
        needed: Bengio and Grandvalet (2004), No unbiased estimator of the variance of k-fold cross-validation.
    """
    k, mean = len(values), float(values.mean())
    told = f"{k // repeats} folds" if repeats == 1 else f"{k // repeats} folds, dealt {repeats} times"
    if not np.isfinite(mean):
        reason = f"{metric.name} is not defined in at least one of {told}."
        return Measurement(name=metric.name, value=None, unit=metric.unit, n=n, reason=reason)
    ratio = float(np.mean([len(check) / len(fit) for fit, check in folds]))
    spread = float(values.std(ddof=1)) * float(np.sqrt(1 / k + ratio))
    half = float(student.ppf((1 + LEVEL) / 2, df=k - 1)) * spread
    low = mean - half if metric.name == "r2" else max(0.0, mean - half)
    high = min(1.0, mean + half) if metric.unit == "1" else mean + half
    interval = Interval(low, high, LEVEL)
    return Measurement(metric.name, mean, metric.unit, n, interval=interval, reason=f"Mean over {told}.")


def mean_losses(checked: Sequence[Scores], folds: Sequence[Fold], task: Task, *, n_folds: int) -> np.ndarray:
    """Return each out-of-fold row's loss, its mean over repeats, in the row order of the first ``n_folds`` folds.

    Args:
        checked: what each fold's model says of the rows it did not learn from.
        folds: the same folds; each repeat checks the same rows.
        task: whose loss is taken.
        n_folds: of one repeat.
    """
    starts = range(0, len(folds), n_folds)
    rows = [np.concatenate([check for _, check in folds[at : at + n_folds]]) for at in starts]
    losses = [np.concatenate([row_losses(scores, task) for scores in checked[at : at + n_folds]]) for at in starts]
    by_row = np.mean([found[np.argsort(order)] for found, order in zip(losses, rows, strict=True)], axis=0)
    means = np.empty(len(by_row))
    means[np.argsort(rows[0])] = by_row
    return means
