"""Metrics as a table: what each means, for which task, and the per-row terms it is an average of.

Every metric but the two areas is a smooth function of means of per-row terms. That one form gives the value, its
interval (delta method, ``intervals``) and lets counts from several windows be added up.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from vigie.domain.task import Task

Terms = Callable[["Scores"], np.ndarray]
Combine = Callable[[np.ndarray], float]
Area = Callable[["Scores"], float]

_EPSILON = np.finfo(np.float64).eps


@dataclass(frozen=True, slots=True)
class Scores:
    """Outcomes beside predictions.

    Attributes:
        y: shape (n,), the number for regression, the class index otherwise.
        predicted: shape (n,), in the same terms as ``y``.
        proba: shape (n, n_classes), None for regression.
    """

    y: np.ndarray
    predicted: np.ndarray
    proba: np.ndarray | None = None

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.y)

    def take(self, index: np.ndarray) -> "Scores":
        """Return the rows at ``index`` (positions or a mask)."""
        return Scores(self.y[index], self.predicted[index], None if self.proba is None else self.proba[index])


@dataclass(frozen=True, slots=True)
class Counted:
    """A metric of counts: a function of the share of hits among some rows, class by class.

    Attributes:
        among: from the sums of the metric's terms, of which the first are the hits, the rows they are hits of; shape
            (n_classes,). Where it is 0 for every class the metric is 0/0.
        absent: what rows lack where it is 0, in a few words.
        of_share: the metric of one class from its share of hits.
    """

    among: Callable[[np.ndarray], np.ndarray]
    absent: str
    of_share: Callable[[float], float] = float


@dataclass(frozen=True, slots=True)
class Metric:
    """One way to judge predictions.

    Attributes:
        name: as users write it.
        unit: ``target`` for the target's own unit, ``1`` for a share or a score, ``nats``.
        tasks: where it applies.
        greater_is_better: direction.
        is_share: whether it is a plain proportion of rows (its interval is then Wilson's).
        terms: shape (n, k) per-row terms; None for the areas, which are statistics of the order of all rows.
        combine: the value from the k means of the terms; None for the areas.
        area: the value from all rows at once; None for the others.
        counted: what the hits are counted among; None for metrics that are not made of hits.
        reach: the smallest and the largest that a mean of one row can be; None where there is no largest.
    """

    name: str
    unit: str
    tasks: frozenset[Task]
    greater_is_better: bool
    terms: Terms | None
    combine: Combine | None
    is_share: bool = False
    area: Area | None = None
    counted: Counted | None = None
    reach: tuple[float, float] | None = None

    def compute(self, scores: Scores) -> float:
        """Return the metric; NaN where it is not defined (no row, or one class only for the areas)."""
        if len(scores) == 0:
            return float("nan")
        if self.area is not None:
            return self.area(scores)
        if self.terms is None or self.combine is None:
            raise ValueError(f"metric {self.name} has no definition")
        with np.errstate(over="ignore", invalid="ignore"):  # a square beyond 1e308 leaves no number, and shows
            return self.combine(self.terms(scores).mean(axis=0))

    def is_ratio_of_nothing(self, scores: Scores) -> bool:
        """Whether it is 0/0 on these rows: ``compute`` says 0, as scikit-learn does, so that candidates have ranks."""
        if self.counted is None or self.terms is None:
            return False
        return not self.counted.among(self.terms(scores).sum(axis=0)).any()


def roc_auc(scores: Scores) -> float:
    """Return the probability that a random positive scores above a random negative, ties counting half.

    Source:
        Hanley and McNeil (1982), The meaning and use of the area under a ROC curve.
    """
    positive, score = scores.y == 1, positive_proba(scores)
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if not n_positive or not n_negative:
        return float("nan")
    ranks = rankdata(score)
    return float((ranks[positive].sum() - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def average_precision(scores: Scores) -> float:
    """Return the mean precision weighted by the recall that each threshold adds; NaN without positives.

    No interpolation: a straight line between two points of a precision-recall curve promises too much.

    Source:
        Davis and Goadrich (2006), The relationship between precision-recall and ROC curves.
    """
    score, positive = positive_proba(scores), scores.y == 1
    if not positive.any():
        return float("nan")
    order = np.argsort(-score, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    hits = np.cumsum(positive[order])[ends]
    return float(np.diff(hits, prepend=0) @ (hits / (ends + 1)) / hits[-1])


def positive_proba(scores: Scores) -> np.ndarray:
    """Return the probability of the last class, shape (n,)."""
    if scores.proba is None:
        raise ValueError("these scores hold no probabilities")
    return scores.proba[:, -1]


def log_losses(scores: Scores) -> np.ndarray:
    """Return minus the log of the probability given to what happened, shape (n,), in nats."""
    if scores.proba is None:
        raise ValueError("these scores hold no probabilities")
    given = scores.proba[np.arange(len(scores)), scores.y.astype(np.intp)]
    losses: np.ndarray = -np.log(np.clip(given, _EPSILON, 1.0))
    return losses


def squared_errors(scores: Scores) -> np.ndarray:
    """Return squared errors, shape (n,), in the target's unit squared."""
    with np.errstate(over="ignore"):  # one that is infinite is refused, or told, by whoever adds them up
        errors: np.ndarray = np.square(scores.y - scores.predicted)
    return errors


def row_losses(scores: Scores, task: Task) -> np.ndarray:
    """Return the per-row loss that models are compared on: squared error, or log-loss for classes. Shape (n,)."""
    return log_losses(scores) if task.is_classification else squared_errors(scores)


def _column(values: np.ndarray) -> np.ndarray:
    return values.reshape(-1, 1).astype(np.float64)


def _ratio(numerator: float, denominator: float) -> float:
    return float(numerator / denominator) if denominator > 0 else 0.0


def _r2_terms(scores: Scores) -> np.ndarray:
    centred = scores.y - scores.y.mean()
    return np.column_stack([squared_errors(scores), centred, np.square(centred)])


def _r2(means: np.ndarray) -> float:
    variance = means[2] - means[1] ** 2
    return float(1.0 - means[0] / variance) if variance > 0 else float("nan")


def _confusion_terms(scores: Scores) -> np.ndarray:
    """Per class: hit, predicted, actual; shape (n, 3 * n_classes)."""
    n_classes = 2 if scores.proba is None else scores.proba.shape[1]
    classes = np.arange(n_classes)
    predicted, actual = scores.predicted[:, None] == classes, scores.y[:, None] == classes
    return np.hstack([predicted & actual, predicted, actual]).astype(np.float64)


def _positive_terms(scores: Scores) -> np.ndarray:
    predicted, actual = scores.predicted == 1, scores.y == 1
    return np.column_stack([predicted & actual, predicted, actual]).astype(np.float64)


def _f1_macro(means: np.ndarray) -> float:
    hit, predicted, actual = means.reshape(3, -1)
    total = predicted + actual
    return float(np.mean(np.divide(2 * hit, total, out=np.zeros_like(hit), where=total > 0)))


def _either(sums: np.ndarray) -> np.ndarray:
    """Return, per class, how many rows are of it or predicted to be; shape (n_classes,)."""
    hit, predicted, actual = sums.reshape(3, -1)
    either: np.ndarray = predicted + actual - hit
    return either


def _f1_of_share(share: float) -> float:
    """Return F1 from Jaccard's index, the hits among rows that are of a class or predicted to be: 2J / (1 + J)."""
    return 2 * share / (1 + share)


_R, _B, _M = Task.REGRESSION, Task.BINARY, Task.MULTICLASS

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("rmse", "target", frozenset({_R}), greater_is_better=False, terms=lambda s: _column(squared_errors(s)),
               combine=lambda m: float(np.sqrt(max(m[0], 0.0)))),  # the slope at a perfect fit looks below zero
        Metric("mae", "target", frozenset({_R}), greater_is_better=False,
               terms=lambda s: _column(np.abs(s.y - s.predicted)), combine=lambda m: float(m[0])),
        Metric("r2", "1", frozenset({_R}), greater_is_better=True, terms=_r2_terms, combine=_r2),
        Metric("roc_auc", "1", frozenset({_B}), greater_is_better=True, terms=None, combine=None, area=roc_auc),
        Metric("log_loss", "nats", frozenset({_B, _M}), greater_is_better=False,
               terms=lambda s: _column(log_losses(s)), combine=lambda m: float(m[0]),
               reach=(0.0, -float(np.log(_EPSILON)))),
        Metric("brier", "1", frozenset({_B}), greater_is_better=False,
               terms=lambda s: _column(np.square(positive_proba(s) - (s.y == 1))), combine=lambda m: float(m[0]),
               reach=(0.0, 1.0)),
        Metric("accuracy", "1", frozenset({_B, _M}), greater_is_better=True, is_share=True,
               terms=lambda s: _column(s.predicted == s.y), combine=lambda m: float(m[0])),
        Metric("f1", "1", frozenset({_B}), greater_is_better=True, terms=_positive_terms,
               combine=lambda m: _ratio(2 * m[0], m[1] + m[2]),
               counted=Counted(_either, "no outcome and no prediction is positive", _f1_of_share)),
        Metric("precision", "1", frozenset({_B}), greater_is_better=True, terms=_positive_terms,
               combine=lambda m: _ratio(m[0], m[1]),
               counted=Counted(lambda sums: sums[1:2], "no prediction is positive")),
        Metric("recall", "1", frozenset({_B}), greater_is_better=True, terms=_positive_terms,
               combine=lambda m: _ratio(m[0], m[2]),
               counted=Counted(lambda sums: sums[2:3], "no outcome is positive")),
        Metric("pr_auc", "1", frozenset({_B}), greater_is_better=True, terms=None, combine=None,
               area=average_precision),
        Metric("f1_macro", "1", frozenset({_M}), greater_is_better=True, terms=_confusion_terms, combine=_f1_macro,
               counted=Counted(_either, "there is none", _f1_of_share)),
    )
}  # fmt: skip
"""Every metric by name, in the order reports show them."""

DEFAULT_METRIC: dict[Task, str] = {_R: "rmse", _B: "roc_auc", _M: "log_loss"}
"""What candidates are ranked by when nobody says otherwise."""


ROW_LOSS: dict[Task, str] = {_R: "rmse", _B: "log_loss", _M: "log_loss"}
"""The metric that is the mean of ``row_losses`` (its root, for regression)."""


def metrics_for(task: Task) -> tuple[Metric, ...]:
    """Return the metrics that apply to a task, in report order."""
    return tuple(metric for metric in METRICS.values() if task in metric.tasks)
