"""Realised performance: what the model was worth on the rows whose outcome is known, beside what it promised.

The only room that may say that a model got worse, because it is the only one that has seen outcomes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite, isnan
from typing import Any

import numpy as np

from vigie.domain.measurement import Measurement, Verdict
from vigie.domain.task import Task
from vigie.errors import ConfigurationError, nearest
from vigie.evaluation.calibration import Reliability, reliability
from vigie.evaluation.intervals import measure, wilson
from vigie.evaluation.metrics import METRICS, Metric, Scores, metrics_for, positive_proba
from vigie.evaluation.value import DecisionValue, value_per_thousand
from vigie.monitoring.decline import Decline, Promise, find_decline, point_of
from vigie.reporting.wording import percent

BINS = 10
"""Bins of the reliability curve, at most."""


@dataclass(frozen=True, slots=True)
class PerformanceRule:
    """What a person decides about performance alarms.

    Attributes:
        metrics: the metrics that decide, by name, at least one; they share the budget, and any of them can alarm.
        margin: loss that does not matter, at least 0: absolute for scores (0.02 of ROC-AUC), a share of the reference
            for losses (2 % of the RMSE).
        min_labelled: rows with an outcome below which nothing is said; at least 1.
        false_alarm_budget: probability of ever alarming while the model is as good as it promised, in (0, 1).
        segments: features whose every level is reported.
    """

    metrics: tuple[str, ...]
    margin: float
    min_labelled: int
    false_alarm_budget: float
    segments: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        key = "monitoring"
        if not self.metrics:
            raise ConfigurationError("No metric decides.", remedy=f"Name some of {', '.join(METRICS)}.", key=key)
        for metric in self.metrics:
            if metric not in METRICS:
                known = nearest(metric, list(METRICS)).strip() or f"Use one of {', '.join(METRICS)}."
                raise ConfigurationError(f"There is no metric {metric!r}.", remedy=known, key=key)
        if not 0 <= self.margin < float("inf"):
            raise ConfigurationError(f"margin is {self.margin}.", remedy="Set it to 0 or more.", key=key)
        if self.min_labelled < 1:
            raise ConfigurationError(f"min_labelled is {self.min_labelled}.", remedy="Set it to 1 or more.", key=key)
        if not 0 < self.false_alarm_budget < 1:
            problem = f"false_alarm_budget is {self.false_alarm_budget}."
            raise ConfigurationError(problem, remedy="Set it above 0 and below 1.", key=key)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The rows of a window whose outcome is known.

    Attributes:
        scores: the outcomes to judge beside their predictions, n_labelled rows; None when there are none.
        n_predictions: predictions made in the window, labelled or not.
        delays_s: seconds from prediction to outcome, shape (n_labelled,) or less where some are not known.
        n_known: how many of the window's predictions have an outcome; None when ``scores`` is exactly those. Outcomes
            are late: the ones that arrive now are mostly of predictions made before this window.
        n_too_large: outcomes that are not in ``scores``, as no error can be measured in them.
    """

    scores: Scores | None
    n_predictions: int
    delays_s: np.ndarray
    n_known: int | None = None
    n_too_large: int = 0


@dataclass(frozen=True, slots=True)
class EarlierLook:
    """What a look at the same version found before, of other outcomes.

    Attributes:
        verdict: on performance; never ``unknown``, for then its outcomes are looked at again.
        metrics: what was measured, by name.
    """

    verdict: Verdict
    metrics: Mapping[str, Measurement]


@dataclass(frozen=True, slots=True)
class Compared:
    """One metric now, and the same metric on the rows the model was accepted on."""

    current: Measurement
    reference: Measurement | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"current": self.current.to_dict(), "reference": self.reference and self.reference.to_dict()}


@dataclass(frozen=True, slots=True)
class PerformanceReport:
    """Realised performance of one window.

    Attributes:
        verdict: the gravest of the deciding metrics.
        reason: one sentence, on the metric that the verdict comes from.
        metrics: every metric of the task, each beside its reference; last, the value of the decisions where one is
            given.
        coverage: share of the window's own predictions whose outcome is known.
        delay: median seconds from prediction to outcome.
        declines: per deciding metric that could be tested, the stretch of looks that speaks most against it.
        calibration: whether probabilities of a binary model came true; None for other tasks and without outcomes.
    """

    verdict: Verdict
    reason: str
    metrics: tuple[Compared, ...]
    coverage: Measurement
    delay: Measurement
    declines: tuple[Decline, ...] = ()
    calibration: Reliability | None = None

    @property
    def is_doubtful(self) -> bool:
        """Whether a loss that matters was seen, of which nothing can be said yet."""
        return self.verdict is Verdict.OK and any(decline.is_doubtful for decline in self.declines)

    @property
    def known(self) -> str:
        """How many outcomes it rests on, and the share of the window's predictions that have one."""
        n = self.metrics[0].current.n
        if not n:
            return "no outcome yet"
        of = (
            "all of earlier predictions"
            if self.coverage.value is None
            else f"{percent(self.coverage.value, 1)} of predictions"
        )
        return f"{n:,} outcome{'' if n == 1 else 's'}, {of}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; never NaN."""
        return {
            "verdict": self.verdict.value,
            "reason": self.reason,
            "metrics": [compared.to_dict() for compared in self.metrics],
            "coverage": self.coverage.to_dict(),
            "delay": self.delay.to_dict(),
            "declines": [decline.to_dict() for decline in self.declines],
            "calibration": self.calibration and self.calibration.to_dict(),
        }


def measure_performance(
    outcomes: Outcomes,
    task: Task,
    reference: Mapping[str, Measurement],
    rule: PerformanceRule,
    *,
    earlier: Sequence[EarlierLook] = (),
    value: DecisionValue | None = None,
) -> PerformanceReport:
    """Measure what is known of the outcomes and say whether the model got worse.

    Args:
        outcomes: the labelled rows of a window.
        task: which metrics apply.
        reference: the same metrics on rows the model was not fitted on, by name.
        rule: which metrics decide, and from which loss on.
        earlier: every look at this version before, oldest first, whose verdict was not ``unknown``; none of them saw
            an outcome of these.
        value: what the decisions of a binary model are worth; None where nobody says.

    Returns:
        ``alarm`` when a deciding metric, over some stretch of looks since the last alarm, is worse than the reference
        by more than the margin and by more than chance explains at any number of looks (``decline``); ``unknown`` when
        none could be tested; else ``ok``.
    """
    scores = outcomes.scores
    n_labelled = 0 if scores is None else len(scores)
    measured = measure_known(scores, task) if scores is not None and n_labelled else unmeasured(task)
    if value is not None and scores is not None:
        measured = (*measured, value_per_thousand(scores, value))
    metrics = tuple(Compared(_finite(item), reference.get(item.name)) for item in measured)
    declines: tuple[Decline, ...] = ()
    if n_labelled < rule.min_labelled:
        verdict = Verdict.UNKNOWN
        reason = f"Not enough outcomes yet: {n_labelled:,} known, {rule.min_labelled:,} needed."
    else:
        verdict, reason, declines = _decide(metrics, task, rule, earlier)
    if n_large := outcomes.n_too_large:
        are, were = ("outcome is", "was") if n_large == 1 else ("outcomes are", "were")
        reason = f"{reason} {n_large:,} {are} too large to be measured and {were} left out."
    n_known = n_labelled if outcomes.n_known is None else outcomes.n_known
    return PerformanceReport(
        verdict,
        reason,
        metrics,
        measure_coverage(n_known, outcomes.n_predictions),
        measure_delay(outcomes.delays_s),
        declines,
        _calibration(scores, task),
    )


def _decide(
    metrics: Sequence[Compared], task: Task, rule: PerformanceRule, earlier: Sequence[EarlierLook]
) -> tuple[Verdict, str, tuple[Decline, ...]]:
    """Return the gravest of the deciding metrics; one that cannot be tested does not silence another that can."""
    found = {pair.current.name: pair for pair in metrics}
    declines, reasons = [], []
    for name in rule.metrics:
        if name not in found:
            reasons.append(f"{name} does not apply to a {task.value} task.")
        elif missing := _untestable(found[name], METRICS[name]):
            reasons.append(missing)
        else:
            declines.append(_decline(found[name], METRICS[name], rule, earlier))
    if not declines:
        return Verdict.UNKNOWN, reasons[0], ()
    worst = max(declines, key=lambda decline: (decline.established, decline.is_doubtful))
    verdict = Verdict.ALARM if worst.established else Verdict.OK
    return verdict, _sentence(worst), tuple(declines)


def _untestable(pair: Compared, metric: Metric) -> str:
    """Return why a metric cannot be tested here; empty when it can."""
    if pair.current.value is None:
        return pair.current.reason
    if pair.reference is None or pair.reference.value is None:
        return f"The bundle holds no reference value of {metric.name}."
    for when, item in (("", pair.current), (" of training", pair.reference)):
        if point_of(item) is None:
            why = f" {item.reason}" if item.reason else ""
            return f"{metric.name}{when} has no interval, so a change cannot be told from chance.{why}"
    return ""


def _decline(pair: Compared, metric: Metric, rule: PerformanceRule, earlier: Sequence[EarlierLook]) -> Decline:
    """Return what the looks since the last alarm say; an alarm was told, and what follows must speak for itself."""
    fresh = 0
    for place, look in enumerate(earlier, start=1):
        if look.verdict is Verdict.ALARM:
            fresh = place
    points = [point_of(look.metrics.get(metric.name)) for look in earlier[fresh:]]
    current, promised = point_of(pair.current), point_of(pair.reference)
    assert current is not None  # noqa: S101  _untestable has looked; this tells the type checker
    assert promised is not None  # noqa: S101  the same
    allowed = rule.margin if metric.greater_is_better else rule.margin * promised.value
    promise = Promise(
        metric=metric.name,
        point=promised,
        greater_is_better=metric.greater_is_better,
        allowed=allowed,
        alpha=rule.false_alarm_budget / len(rule.metrics),
        least=rule.min_labelled,
    )
    return find_decline([*(point for point in points if point), current], promise, before=fresh)


def _sentence(decline: Decline) -> str:
    where = "" if decline.looks == 1 else f" over the last {decline.looks} looks"
    seen = f"{decline.metric} is {decline.value:.4g}{where}, {decline.promised:.4g} was promised"
    if decline.established:
        worse = f"{seen}: worse by {decline.loss:.4g}"
        if decline.chance >= decline.allowed:
            return f"{worse}, more than chance explains ({decline.chance:.4g})."
        return f"{worse}, more than the margin ({decline.allowed:.4g})."
    if decline.loss > decline.allowed:
        return f"{seen}: worse by {decline.loss:.4g}, not more than chance explains ({decline.chance:.4g})."
    return f"{seen}: not worse by more than the margin ({decline.allowed:.4g})."


def _calibration(scores: Scores | None, task: Task) -> Reliability | None:
    if scores is None or not len(scores) or task is not Task.BINARY:
        return None
    return reliability(scores.y == 1, positive_proba(scores), n_bins=BINS)


def measure_known(scores: Scores, task: Task) -> tuple[Measurement, ...]:
    """Return every metric on these rows, at least one; what is not defined on them has no value and says why.

    Candidates are ranked with 0 for 0/0, as scikit-learn does: one that never says yes must not come out unranked. Of a
    window in which nobody could have been found, a recall of 0 would be a false report.
    """
    return tuple(_finite(_defined(item, scores)) for item in measure(scores, task))


def _defined(measurement: Measurement, scores: Scores) -> Measurement:
    """Replace 0/0 by "no value" and say why."""
    metric = METRICS[measurement.name]
    if metric.counted is None or not metric.is_ratio_of_nothing(scores):
        return measurement
    return _without_value(measurement, metric.counted.absent)


def _finite(measurement: Measurement) -> Measurement:
    """Replace what is no number by "no value" and say why."""
    if measurement.value is None or isfinite(measurement.value):
        return measurement
    why = "their outcomes are all alike" if isnan(measurement.value) else "an error is too large to be squared"
    return _without_value(measurement, why)


def _without_value(measurement: Measurement, why: str) -> Measurement:
    reason = f"{measurement.name} is not defined on these rows: {why}."
    return replace(measurement, value=None, interval=None, reason=reason)


def unmeasured(task: Task) -> tuple[Measurement, ...]:
    """Return every metric of a task without a value: no outcome is known."""
    reason = "No outcome is known yet."
    return tuple(Measurement(metric.name, None, metric.unit, 0, reason=reason) for metric in metrics_for(task))


def measure_coverage(n_known: int, n_predictions: int) -> Measurement:
    """Return the share of predictions whose outcome is known."""
    if n_predictions == 0:
        return Measurement("coverage", None, "1", 0, reason="There was no prediction.")
    return Measurement("coverage", n_known / n_predictions, "1", n_predictions, interval=wilson(n_known, n_predictions))


def measure_delay(delays_s: np.ndarray) -> Measurement:
    """Return the median of what is known of the seconds from prediction to outcome."""
    known = np.asarray(delays_s, dtype=np.float64)
    known = known[np.isfinite(known)]
    if len(known) == 0:
        return Measurement("delay_median", None, "s", 0, reason="No delay is known.")
    return Measurement("delay_median", float(np.median(known)), "s", len(known))
