"""One window judged: the single place where verdicts are made, and the report that everything else reads them from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from vigie.domain.measurement import Measurement, Verdict
from vigie.domain.schema import Schema
from vigie.domain.task import Task
from vigie.domain.window import Window
from vigie.evaluation.metrics import Scores
from vigie.evaluation.value import DecisionValue
from vigie.monitoring.baseline import Baseline
from vigie.monitoring.blocks import Block, blocks_ending
from vigie.monitoring.columns import NumericColumn
from vigie.monitoring.columnwise import Judged, judge_column
from vigie.monitoring.counts import WindowCounts, count_window
from vigie.monitoring.drift.catalogue import CATEGORY, NUMERIC, describe
from vigie.monitoring.estimation import (
    NOT_ESTIMATED,
    Basis,
    EstimatedRows,
    EstimateReport,
    EstimationRule,
    estimate_performance,
)
from vigie.monitoring.expected import Answers
from vigie.monitoring.performance import (
    EarlierLook,
    Outcomes,
    PerformanceReport,
    PerformanceRule,
    measure_performance,
)
from vigie.monitoring.profile import ReferenceProfile
from vigie.monitoring.quality import measure_quality
from vigie.monitoring.technical import measure_service
from vigie.monitoring.thresholds import AlarmRule, Evidence, spend
from vigie.monitoring.weak_spots import NO_SEGMENTS, SegmentReport, find_weak_spots
from vigie.monitoring.weighing import DatasetReport, Weighed, weigh


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """What a window is compared with.

    Attributes:
        model: registered name.
        version: the version that made the predictions.
        task: the question it answers.
        profile: what its training data looked like.
        metrics: its metrics on rows it was not fitted on, by name, with intervals.
        value: what its decisions are worth, for a binary task where somebody says so.
        baseline: which rows the profile counts, where they are not the training data; see ``baseline.rebased``.
        schema: its features and target; None where nothing is to be told by segment.
        basis: what its performance is estimated with; None where it holds nothing.
    """

    model: str
    version: str
    task: Task
    profile: ReferenceProfile
    metrics: Mapping[str, Measurement]
    value: DecisionValue | None = None
    baseline: Baseline | None = None
    schema: Schema | None = None
    basis: Basis | None = None


@dataclass(frozen=True, slots=True, eq=False)
class WindowRows:
    """What the prediction log holds of a window; any number of rows, none included.

    Attributes:
        window: when.
        frame: features from ``domain.frame.model_frame``, shape (n, n_features).
        predicted: float64, shape (n,), in the terms of ``build_profile``.
        scores: the rows whose outcome is judged: those that arrived since the last verdict on performance, whenever
            they were predicted; None when there are none.
        delays_s: seconds from prediction to outcome, one per row of ``scores``, NaN where not known.
        latency_us: microseconds per answer, one per request, NaN where not taken; None when it never was.
        n_known: how many of this window's predictions have an outcome; None when ``scores`` is exactly those.
        counts: the rows on the profile's grid, where they were counted before; drift is not looked for in ``frame``
            and ``predicted`` then.
        earlier: what the looks before found of performance, oldest first.
        answers: what the model said of every row, in full; None where nothing is to be estimated.
        scored_frame: features of the rows of ``scores``, in their order; None where there are none.
        distrust: why the last trial switched estimates off; empty when it did not.
    """

    window: Window
    frame: pd.DataFrame
    predicted: np.ndarray
    scores: Scores | None
    delays_s: np.ndarray
    latency_us: np.ndarray | None
    n_known: int | None = None
    counts: WindowCounts | None = None
    earlier: tuple[EarlierLook, ...] = ()
    answers: Answers | None = None
    scored_frame: pd.DataFrame | None = None
    distrust: str = ""


@dataclass(frozen=True, slots=True)
class FeatureReport:
    """One column: has it changed, by how much, and is it whole.

    An alarm is ``confirmed`` when it is as many in a row as the rule asks for: only then is it mailed and retrained on.
    ``is_calendar`` says that the column was declared to tell the time, or wanders by itself as if it did.
    """

    name: str
    kind: str
    verdict: Verdict
    reason: str
    evidence: tuple[Evidence, ...]
    statistics: tuple[Measurement, ...]
    quality: tuple[Measurement, ...]
    confirmed: bool = False
    is_calendar: bool = False

    @property
    def actionable(self) -> Verdict:
        """The verdict as far as it may be acted on: an alarm that nothing confirmed yet is a notice."""
        return Verdict.WARN if self.verdict is Verdict.ALARM and not self.confirmed else self.verdict

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; never NaN."""
        return {
            "name": self.name,
            "kind": self.kind,
            "verdict": self.verdict.value,
            "confirmed": self.confirmed,
            "calendar": self.is_calendar,
            "reason": self.reason,
            "evidence": [test.to_dict() for test in self.evidence],
            "statistics": [measurement.to_dict() for measurement in self.statistics],
            "quality": [measurement.to_dict() for measurement in self.quality],
        }


@dataclass(frozen=True, slots=True)
class Report:
    """One window of one model version, judged.

    Attributes:
        model: registered name.
        version: the version judged.
        window: when.
        n: predictions in it.
        look: which look of the false-alarm budget this one spent.
        features: one report per feature, in the schema's order.
        prediction: the same for what the model said.
        performance: what is known of the outcomes.
        technical: latency and throughput.
        dataset: the features together, weighted by what they mean to the model.
        baseline: what inputs and predictions were compared with.
        estimate: performance as it is expected to be, before outcomes come.
        segments: performance by segment.
    """

    model: str
    version: str
    window: Window
    n: int
    look: int
    features: tuple[FeatureReport, ...]
    prediction: FeatureReport
    performance: PerformanceReport
    technical: tuple[Measurement, ...]
    dataset: DatasetReport
    baseline: Baseline
    estimate: EstimateReport = NOT_ESTIMATED
    segments: SegmentReport = NO_SEGMENTS

    @property
    def verdict(self) -> Verdict:
        """The gravest of what is known; ``unknown`` when nothing is. What is not known keeps saying so in its part."""
        parts = [*(report.verdict for report in self.features), self.prediction.verdict, self.performance.verdict]
        parts.append(self.estimate.verdict)
        return Verdict.worst(verdict for verdict in parts if verdict is not Verdict.UNKNOWN)

    @property
    def actionable(self) -> Verdict:
        """The same as far as it may be acted on: drift that nothing confirmed yet is a notice."""
        parts = [*(report.actionable for report in self.features), self.prediction.actionable, self.performance.verdict]
        return Verdict.worst(verdict for verdict in parts if verdict is not Verdict.UNKNOWN)

    @property
    def drifted(self) -> tuple[str, ...]:
        """Names of the features whose distribution changed beyond the margin."""
        return self._with(Verdict.ALARM)

    @property
    def confirmed(self) -> tuple[str, ...]:
        """Names of the features whose change is confirmed: a person is told, and a retraining may be asked for."""
        return tuple(report.name for report in self.features if report.confirmed)

    @property
    def noticed(self) -> tuple[str, ...]:
        """Names of the features that seem to change."""
        return self._with(Verdict.WARN)

    @property
    def headline(self) -> tuple[str, ...]:
        """What a person should read first, one sentence each, the strongest evidence first.

        Drift is told as changed inputs; only outcomes can tell that a model got worse.
        """
        performance = {
            Verdict.ALARM: f"Performance fell: {self.performance.reason}",
            Verdict.OK: f"Performance holds: {self.performance.reason}",
        }.get(self.performance.verdict, f"Performance is not known. {self.performance.reason}")
        predictions = {
            Verdict.ALARM: "Predictions changed.",
            Verdict.WARN: "Predictions seem to change.",
        }.get(self.prediction.verdict)
        estimated = {
            Verdict.WARN: f"Performance is estimated to be worse: {self.estimate.reason}",
        }.get(self.estimate.verdict, self.estimate.failed)
        return tuple(sentence for sentence in (performance, estimated, predictions, *self._about_inputs()) if sentence)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; never NaN."""
        return {
            "model": self.model,
            "version": self.version,
            "window": self.window.to_dict(),
            "n": self.n,
            "look": self.look,
            "verdict": self.verdict.value,
            "headline": list(self.headline),
            "drifted": list(self.drifted),
            "confirmed": list(self.confirmed),
            "noticed": list(self.noticed),
            "dataset": self.dataset.to_dict(),
            "baseline": self.baseline.to_dict(),
            "features": [report.to_dict() for report in self.features],
            "prediction": self.prediction.to_dict(),
            "performance": self.performance.to_dict(),
            "technical": [measurement.to_dict() for measurement in self.technical],
            "estimate": self.estimate.to_dict(),
            "segments": self.segments.to_dict(),
        }

    def _with(self, verdict: Verdict) -> tuple[str, ...]:
        return tuple(report.name for report in self.features if report.verdict is verdict)

    def _about_inputs(self) -> tuple[str, ...]:
        told = []
        if self.drifted:
            once = "" if self.confirmed else " For the first time: a second window in a row makes it an alert."
            told.append(f"Inputs changed: {', '.join(self.drifted)}. {self.dataset.reason}{once}")
        if self.noticed:
            told.append(f"Inputs seem to change: {', '.join(self.noticed)}.")
        unknown = [report for report in self.features if report.verdict is Verdict.UNKNOWN]
        if unknown:
            which = "Inputs" if len(unknown) == len(self.features) else ", ".join(report.name for report in unknown)
            told.append(f"{which}: not known. {unknown[0].reason}")
        compared = "the training data" if self.baseline.kind == "training" else "the window they are compared with"
        return tuple(told) or (f"Inputs look like {compared}.",)


def assess(
    rows: WindowRows,
    reference: Reference,
    drift_rule: AlarmRule,
    performance_rule: PerformanceRule,
    *,
    look: int,
    past: Sequence[WindowCounts] = (),
) -> Report:
    """Judge one window.

    Data drift and performance have a budget each. Data drift's is shared by every feature and the prediction.

    Args:
        rows: what the log holds of the window.
        reference: what it is compared with.
        drift_rule: when a column has changed.
        performance_rule: when a model got worse.
        look: how many windows of this version were judged before, plus one; at least 1. Judging one window again
            is not a new look.
        past: counts of the windows judged right before, oldest first, on the profile's grid; as many as
            ``blocks.windows_needed`` asks for. With fewer, fewer blocks are judged.

    Raises:
        KeyError: a feature of the profile is absent from the frame.
        ValueError: ``look`` is below 1, or frame and predictions have different lengths.
    """
    profile = reference.profile
    counts = rows.counts or count_window(profile, rows.frame, rows.predicted)
    blocks = blocks_ending(counts, past, look=look)
    if reference.baseline is not None:
        blocks = blocks[:1]  # an earlier window stands for one window, not for several
    *features, prediction = _judge_columns(profile, blocks, drift_rule)
    outcomes = Outcomes(rows.scores, counts.n, rows.delays_s, rows.n_known)
    performance = measure_performance(
        outcomes,
        reference.task,
        reference.metrics,
        performance_rule,
        earlier=rows.earlier,
        value=reference.value,
    )
    return Report(
        model=reference.model,
        version=reference.version,
        window=rows.window,
        n=counts.n,
        look=look,
        features=tuple(features),
        prediction=prediction,
        performance=performance,
        technical=measure_service(rows.latency_us, rows.window, counts.n),
        dataset=weigh([_weighed(report) for report in features], profile.importance, n=counts.n),
        baseline=reference.baseline or Baseline("training", profile.rows),
        estimate=_estimate(rows, reference, performance_rule, look),
        segments=_segments(rows, reference, performance_rule),
    )


def _estimate(rows: WindowRows, reference: Reference, rule: PerformanceRule, look: int) -> EstimateReport:
    if rows.answers is None:
        return NOT_ESTIMATED
    return estimate_performance(
        EstimatedRows(rows.answers, rows.frame, rows.scores, rows.scored_frame),
        reference.basis,
        reference.metrics,
        EstimationRule(reference.task, rule.metrics, rule.margin, rule.min_labelled, reference.value),
        alpha=spend(rule.false_alarm_budget, look=look),
        failed=rows.distrust,
    )


def _segments(rows: WindowRows, reference: Reference, rule: PerformanceRule) -> SegmentReport:
    if reference.schema is None or rows.scores is None or rows.scored_frame is None:
        return NO_SEGMENTS
    return find_weak_spots(reference.schema, rows.scored_frame, rows.scores, rule.segments)


def _judge_columns(profile: ReferenceProfile, blocks: Sequence[Block], rule: AlarmRule) -> list[FeatureReport]:
    columns = profile.columns
    wandering = profile.wander or (None,) * len(columns)
    return [
        _judge_column(Judged(column, place, wander, profile.rows), blocks, rule, n_columns=len(columns))
        for place, (column, wander) in enumerate(zip(columns, wandering, strict=True))
    ]


def _judge_column(judged: Judged, blocks: Sequence[Block], rule: AlarmRule, *, n_columns: int) -> FeatureReport:
    found = judge_column(judged, blocks, rule, n_columns=n_columns)
    column, counts = judged.column, judged.counts(blocks[0].counts)
    return FeatureReport(
        name=column.name,
        kind=NUMERIC if isinstance(column, NumericColumn) else CATEGORY,
        verdict=found.verdict,
        reason=found.reason,
        evidence=found.evidence,
        statistics=describe(column, counts),
        quality=measure_quality(column, counts),
        confirmed=found.confirmed,
        is_calendar=found.is_calendar,
    )


def _weighed(report: FeatureReport) -> Weighed:
    index = next(item.value for item in report.statistics if item.name == "psi_corrected")
    return Weighed(report.name, report.verdict, index)
