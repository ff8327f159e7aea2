"""Performance without outcomes: always an estimate, tried against what came true, and silent where it failed.

An estimate assumes that answers and outcomes go together as they did on the reference. It sees what moves when other
inputs come; it is blind, by construction, to a change of what the same inputs mean (concept drift). So it never raises
an alarm: at most it warns, until outcomes come. Where they come, the estimate of exactly those rows is laid beside
them, and one that is off by more than chance switches all estimates off until one is right again.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import hypot, isfinite, nan
from typing import Any, NoReturn

import pandas as pd
from scipy.stats import norm

from vigie.domain.measurement import Interval, Measurement, Verdict, finite
from vigie.domain.schema import Schema
from vigie.domain.task import Task
from vigie.errors import BundleError, BundleFormatError
from vigie.evaluation.intervals import LEVEL, clipped
from vigie.evaluation.metrics import METRICS, Metric, Scores
from vigie.evaluation.value import DecisionValue
from vigie.monitoring.decline import point_of
from vigie.monitoring.error_tree import ErrorTree
from vigie.monitoring.expected import Answers, Expected
from vigie.monitoring.score_map import ScoreMaps

FORMAT = 1
"""Version of the JSON layout; the reader refuses others."""

FEWEST_ROWS = 100
"""Rows of the reference, or of a window, below which nothing is estimated."""

BACKTEST_LEVEL = 0.001
"""Probability that a right estimate fails its trial at one look."""

BLIND = "An estimate, from inputs and answers alone: it cannot see that the same inputs mean something else."
"""What every estimate says of itself."""

NO_BASIS = "This version holds no calibration of its scores, so nothing can be estimated."

Basis = ScoreMaps | ErrorTree


def fit_basis(schema: Schema, frame: pd.DataFrame, scores: Scores) -> bytes | None:
    """Return what an estimate of this model's performance will need, as bytes; None where there are too few rows.

    Args:
        schema: features and target.
        frame: shape (n, n_features), rows that the model had not learnt from, in an order that has nothing to do with
            their values.
        scores: the model on the same rows.
    """
    if len(scores) < FEWEST_ROWS:
        return None
    kind = "score_maps" if schema.target.task.is_classification else "error_tree"
    basis: Basis = ScoreMaps.fit(scores) if kind == "score_maps" else ErrorTree.fit(schema, frame, scores)
    return json.dumps({"format": FORMAT, kind: basis.to_dict()}, allow_nan=False, separators=(",", ":")).encode()


def read_basis(content: bytes | None) -> Basis | None:
    """Return what ``fit_basis`` wrote; None for nothing.

    Raises:
        BundleFormatError: another version of the layout.
        BundleError: it is something else.
    """
    if content is None:
        return None
    try:
        data = json.loads(content, parse_constant=_refuse)
        if data["format"] != FORMAT:
            raise BundleFormatError(found_version=data["format"], supported=(FORMAT,))
        if "score_maps" in data:
            return ScoreMaps.from_dict(data["score_maps"])
        return ErrorTree.from_dict(data["error_tree"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as exc:
        raise BundleError(f"estimation.json cannot be read ({type(exc).__name__}: {exc}).") from exc


@dataclass(frozen=True, slots=True)
class Trial:
    """An estimate beside what came true on the same rows.

    Attributes:
        metric: its name.
        n: rows.
        estimated: what was expected of them.
        realised: what came true.
        chance: the gap that chance explains.
        allowed: the gap that does not matter.
    """

    metric: str
    n: int
    estimated: float
    realised: float
    chance: float
    allowed: float

    @property
    def passed(self) -> bool:
        """Whether the gap is one that chance explains or that does not matter."""
        return abs(self.realised - self.estimated) <= max(self.chance, self.allowed)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__} | {"passed": self.passed}


@dataclass(frozen=True, slots=True)
class EstimateReport:
    """Performance as it is expected to be, on all rows of a window.

    Attributes:
        verdict: ``ok``, ``warn`` or ``unknown``; never ``alarm``.
        reason: one sentence.
        metrics: estimates beside what was promised, ``(estimate, promised)``; none where nothing is estimated.
        trials: of the deciding metrics, where outcomes came; empty otherwise.
        failed: why estimates are switched off; empty while they are not.
    """

    verdict: Verdict
    reason: str
    metrics: tuple[tuple[Measurement, Measurement | None], ...] = ()
    trials: tuple[Trial, ...] = ()
    failed: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; never NaN."""
        return {
            "verdict": self.verdict.value,
            "reason": self.reason,
            "metrics": [
                {"estimate": estimate.to_dict(), "reference": promised and promised.to_dict()}
                for estimate, promised in self.metrics
            ],
            "trials": [trial.to_dict() for trial in self.trials],
            "failed": self.failed,
        }


NOT_ESTIMATED = EstimateReport(Verdict.UNKNOWN, NO_BASIS)
"""What is told where there is nothing to estimate with."""


@dataclass(frozen=True, slots=True, eq=False)
class EstimatedRows:
    """The rows that an estimate speaks of, and those it is tried on.

    Attributes:
        answers: of all rows of the window.
        frame: their features; None will do for classes, of which only the answers are looked at.
        scores: rows whose outcome came; None when none did.
        scored_frame: features of these; None when there are none.
    """

    answers: Answers
    frame: pd.DataFrame | None
    scores: Scores | None = None
    scored_frame: pd.DataFrame | None = None


@dataclass(frozen=True, slots=True)
class EstimationRule:
    """What is estimated, and when an estimate says something.

    Attributes:
        task: which metrics apply.
        metrics: the names of those that decide.
        margin: loss that does not matter, see ``PerformanceRule.margin``.
        min_labelled: outcomes from which on an estimate is tried.
        value: what the decisions of a binary model are worth; None where nobody says.
    """

    task: Task
    metrics: tuple[str, ...]
    margin: float
    min_labelled: int
    value: DecisionValue | None = None


def estimate_performance(
    window: EstimatedRows,
    basis: Basis | None,
    reference: Mapping[str, Measurement],
    rule: EstimationRule,
    *,
    alpha: float,
    failed: str = "",
) -> EstimateReport:
    """Estimate the performance on a window, and try the estimate on the rows whose outcome is known.

    Args:
        window: the rows.
        basis: what the version holds to estimate with; None where it holds nothing.
        reference: the metrics on rows the model was not fitted on, by name.
        rule: what decides.
        alpha: probability that this look may warn of a model that is as good as promised, if the estimate is right.
        failed: why the last trial switched estimates off; empty when it did not.
    """
    if basis is None:
        return NOT_ESTIMATED
    trials = _trials(window, basis, reference, rule)
    if trials:
        lost = next((trial for trial in trials if not trial.passed), None)
        failed = "" if lost is None else _why_off(lost)
    if failed:
        return EstimateReport(Verdict.UNKNOWN, failed, trials=trials, failed=failed)
    if len(window.answers) < FEWEST_ROWS:
        few = f"Not enough data yet: {len(window.answers):,} of the {FEWEST_ROWS:,} predictions that it takes."
        return EstimateReport(Verdict.UNKNOWN, few, trials=trials)
    expected = _expect(basis, window.answers, window.frame, rule)
    pairs = tuple((_measurement(item, len(window.answers)), reference.get(name)) for name, item in expected.items())
    verdict, reason = _decide(expected, reference, rule, alpha)
    return EstimateReport(verdict, reason, pairs, trials)


def _expect(basis: Basis, answers: Answers, frame: pd.DataFrame | None, rule: EstimationRule) -> dict[str, Expected]:
    if isinstance(basis, ErrorTree):
        if frame is None:
            raise ValueError("an estimate of a number looks at the features, and there are none")
        return basis.expect(answers, frame)
    found = basis.expect(answers, rule.task, rule.value)
    return {name: found[name] for name in (*METRICS, "value") if name in found}


def _trials(
    window: EstimatedRows, basis: Basis, reference: Mapping[str, Measurement], rule: EstimationRule
) -> tuple[Trial, ...]:
    scores, frame = window.scores, window.scored_frame
    if scores is None or frame is None or len(scores) < max(rule.min_labelled, 2):
        return ()
    expected = _expect(basis, Answers(scores.predicted, scores.proba), frame, rule)
    quantile = float(norm.isf(BACKTEST_LEVEL / 2 / len(rule.metrics)))
    found = []
    for name in rule.metrics:
        metric = METRICS[name]
        realised = nan if metric.is_ratio_of_nothing(scores) else metric.compute(scores)
        if name in expected and isfinite(realised) and isfinite(expected[name].value):
            item = expected[name]
            allowed = allowed_loss(metric, rule.margin, reference.get(name))
            found.append(Trial(name, len(scores), item.value, realised, quantile * item.error, allowed))
    return tuple(found)


def allowed_loss(metric: Metric, margin: float, promised: Measurement | None) -> float:
    """Return the loss that does not matter: the margin of a score, that share of the promised value of a loss."""
    if metric.greater_is_better:
        return margin
    return margin * (promised.value if promised and promised.value is not None else 0.0)


def _why_off(trial: Trial) -> str:
    return (
        f"Estimates are switched off: {trial.metric} was estimated at {trial.estimated:.4g} and came out at "
        f"{trial.realised:.4g} on {trial.n:,} outcomes, further off than chance explains ({trial.chance:.4g})."
    )


def _decide(
    expected: Mapping[str, Expected], reference: Mapping[str, Measurement], rule: EstimationRule, alpha: float
) -> tuple[Verdict, str]:
    told = "Estimated performance is as promised." if rule.metrics else BLIND
    known = False
    for name in rule.metrics:
        item, promised = expected.get(name), point_of(reference.get(name))
        if item is None or promised is None or not isfinite(item.value):
            continue
        known = True
        metric = METRICS[name]
        loss = promised.value - item.value if metric.greater_is_better else item.value - promised.value
        chance = float(norm.isf(alpha / len(rule.metrics))) * hypot(item.error, promised.error)
        if loss > max(chance, allowed_loss(metric, rule.margin, reference.get(name))):
            told = f"{name} is estimated at {item.value:.4g}, {promised.value:.4g} was promised: worse by {loss:.4g}."
            return Verdict.WARN, told
    return (Verdict.OK, told) if known else (Verdict.UNKNOWN, "No deciding metric can be estimated here.")


def _measurement(item: Expected, n: int) -> Measurement:
    value = finite(item.value)
    interval = None
    if value is not None and isfinite(item.error) and item.error > 0:  # without width it would claim to be sure
        half = float(norm.ppf((1 + LEVEL) / 2)) * item.error
        low, high = value - half, value + half
        interval = clipped(METRICS[item.name], low, high, LEVEL) if item.name in METRICS else Interval(low, high, LEVEL)
    return Measurement(item.name, value, item.unit, n, interval=interval, reason=BLIND)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number in JSON")
