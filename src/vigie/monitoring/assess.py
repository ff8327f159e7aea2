"""One window judged: the single place where verdicts are made, and the report that everything else reads them from."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from vigie.domain.measurement import Measurement, Verdict
from vigie.domain.service import ServiceSample
from vigie.domain.task import Task
from vigie.domain.window import Window
from vigie.evaluation.metrics import Scores
from vigie.evaluation.value import DecisionValue
from vigie.monitoring.columns import Column, ColumnCounts, NumericColumn
from vigie.monitoring.counts import WindowCounts, count_window
from vigie.monitoring.drift.catalogue import CATEGORY, NUMERIC, describe
from vigie.monitoring.performance import Outcomes, PerformanceReport, PerformanceRule, measure_performance
from vigie.monitoring.profile import ReferenceProfile
from vigie.monitoring.quality import measure_quality
from vigie.monitoring.technical import (
    UNASKED,
    ServiceReport,
    ServiceRule,
    judge_service,
    measure_server,
    measure_service,
)
from vigie.monitoring.thresholds import AlarmRule, Evidence, judge, spend


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
    """

    model: str
    version: str
    task: Task
    profile: ReferenceProfile
    metrics: Mapping[str, Measurement]
    value: DecisionValue | None = None


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
    """

    window: Window
    frame: pd.DataFrame
    predicted: np.ndarray
    scores: Scores | None
    delays_s: np.ndarray
    latency_us: np.ndarray | None
    n_known: int | None = None


@dataclass(frozen=True, slots=True)
class FeatureReport:
    """One column: has it changed, by how much, and is it whole."""

    name: str
    kind: str
    verdict: Verdict
    reason: str
    evidence: tuple[Evidence, ...]
    statistics: tuple[Measurement, ...]
    quality: tuple[Measurement, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; never NaN."""
        return {
            "name": self.name,
            "kind": self.kind,
            "verdict": self.verdict.value,
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
        technical: latency and throughput; errors, processor, memory and the log's queue where a server was asked.
        service: what that says of the service.
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
    service: ServiceReport = UNASKED

    @property
    def verdict(self) -> Verdict:
        """The gravest of what is known; ``unknown`` when nothing is. What is not known keeps saying so in its part."""
        drift = [*(report.verdict for report in self.features), self.prediction.verdict]
        parts = [*drift, self.performance.verdict, self.service.verdict]
        return Verdict.worst(verdict for verdict in parts if verdict is not Verdict.UNKNOWN)

    @property
    def drifted(self) -> tuple[str, ...]:
        """Names of the features whose distribution changed beyond the margin."""
        return self._with(Verdict.ALARM)

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
        service = f"The service is not well: {self.service.reason}" if self.service.verdict is Verdict.ALARM else None
        return tuple(sentence for sentence in (service, performance, predictions, *self._about_inputs()) if sentence)

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
            "noticed": list(self.noticed),
            "features": [report.to_dict() for report in self.features],
            "prediction": self.prediction.to_dict(),
            "performance": self.performance.to_dict(),
            "technical": [measurement.to_dict() for measurement in self.technical],
            "service": self.service.to_dict(),
        }

    def _with(self, verdict: Verdict) -> tuple[str, ...]:
        return tuple(report.name for report in self.features if report.verdict is verdict)

    def _about_inputs(self) -> tuple[str, ...]:
        told = []
        if self.drifted:
            told.append(f"Inputs changed: {', '.join(self.drifted)}.")
        if self.noticed:
            told.append(f"Inputs seem to change: {', '.join(self.noticed)}.")
        unknown = [report for report in self.features if report.verdict is Verdict.UNKNOWN]
        if unknown:
            told.append(f"Inputs are not known. {unknown[0].reason}")
        return tuple(told) or ("Inputs look like the training data.",)


def assess(
    rows: WindowRows, reference: Reference, drift_rule: AlarmRule, performance_rule: PerformanceRule, *, look: int
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

    Raises:
        KeyError: a feature of the profile is absent from the frame.
        ValueError: ``look`` is below 1, or frame and predictions have different lengths.
    """
    profile = reference.profile
    counts = count_window(profile, rows.frame, rows.predicted)
    alpha = spend(drift_rule.false_alarm_budget, look=look) / (len(profile.features) + 1)
    outcomes = Outcomes(rows.scores, counts.n, rows.delays_s, rows.n_known)
    performance = measure_performance(
        outcomes,
        reference.task,
        reference.metrics,
        performance_rule,
        alpha=spend(performance_rule.false_alarm_budget, look=look),
        value=reference.value,
    )
    return Report(
        model=reference.model,
        version=reference.version,
        window=rows.window,
        n=counts.n,
        look=look,
        features=_judge_features(profile, counts, drift_rule, alpha),
        prediction=_judge_column(profile.prediction, counts.prediction, drift_rule, alpha),
        performance=performance,
        technical=measure_service(rows.latency_us, rows.window, counts.n),
    )


def assess_service(
    report: Report, sample: ServiceSample | None, before: Mapping[str, Any], rule: ServiceRule
) -> Report:
    """Return the report with what the server says of itself, judged.

    Args:
        report: from ``assess``.
        sample: what the server says; None when it was not asked.
        before: ``service.counters`` of the last closed window; empty for none.
        rule: what the service must keep to.
    """
    measured = report.technical if sample is None else (*report.technical, *measure_server(sample, before))
    return replace(report, technical=measured, service=judge_service(measured, sample, rule, report.n))


def _judge_features(
    profile: ReferenceProfile, counts: WindowCounts, rule: AlarmRule, alpha: float
) -> tuple[FeatureReport, ...]:
    pairs = zip(profile.features, counts.features, strict=True)
    return tuple(_judge_column(column, column_counts, rule, alpha) for column, column_counts in pairs)


def _judge_column(column: Column, counts: ColumnCounts, rule: AlarmRule, alpha: float) -> FeatureReport:
    judgement = judge(column, counts, rule, alpha=alpha)
    return FeatureReport(
        name=column.name,
        kind=NUMERIC if isinstance(column, NumericColumn) else CATEGORY,
        verdict=judgement.verdict,
        reason=judgement.reason,
        evidence=judgement.evidence,
        statistics=describe(column, counts),
        quality=measure_quality(column, counts),
    )
