"""One window judged: the single place where verdicts are made, and the report that everything else reads them from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from vigie.domain.measurement import Measurement
from vigie.domain.schema import Schema
from vigie.domain.service import ServiceSample
from vigie.domain.task import Task
from vigie.domain.window import Window
from vigie.evaluation.metrics import Scores
from vigie.evaluation.value import DecisionValue
from vigie.monitoring.baseline import Baseline
from vigie.monitoring.blocks import Block, blocks_ending
from vigie.monitoring.columns import NumericColumn
from vigie.monitoring.columnwise import Judged, judge_column
from vigie.monitoring.counts import WindowCounts
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
    PerformanceRule,
    measure_performance,
)
from vigie.monitoring.profile import ReferenceProfile
from vigie.monitoring.quality import measure_quality
from vigie.monitoring.technical import (
    ServiceRule,
    judge_service,
    measure_server,
    measure_service,
)
from vigie.monitoring.thresholds import AlarmRule, spend
from vigie.monitoring.weak_spots import NO_SEGMENTS, AskedRows, SegmentReport, find_weak_spots
from vigie.monitoring.weighing import Weighed, weigh
from vigie.monitoring.window_report import FeatureReport, Report


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
        baseline: which rows the profile counts; None for the training data. See ``baseline.rebased``.
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
        counts: its rows on the profile's grid.
        scores: the rows whose outcome is judged: those that arrived since the last verdict on performance, whenever
            they were predicted; None when there are none.
        delays_s: seconds from prediction to outcome, one per row of ``scores``, NaN where not known.
        latency_us: microseconds per answer, one per request, NaN where not taken; None when it never was.
        n_known: how many of this window's predictions have an outcome; None when ``scores`` is exactly those.
        n_too_large: outcomes that are not in ``scores``, as no error can be measured in them.
        earlier: what the looks before found of performance, oldest first.
        answers: what the model said of every row, in full; None where nothing is to be estimated.
        scored_frame: features of the rows of ``scores``, in their order; None where there are none.
        distrust: why the last trial switched estimates off; empty when it did not.
        asked: the rows of ``answers``: features, and which have an outcome; None where neither an estimate nor a
            declared segment looks at them.
    """

    window: Window
    counts: WindowCounts
    scores: Scores | None
    delays_s: np.ndarray
    latency_us: np.ndarray | None
    n_known: int | None = None
    n_too_large: int = 0
    earlier: tuple[EarlierLook, ...] = ()
    answers: Answers | None = None
    scored_frame: pd.DataFrame | None = None
    distrust: str = ""
    asked: AskedRows | None = None


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
        ValueError: ``look`` is below 1.
    """
    profile = reference.profile
    counts = rows.counts
    blocks = blocks_ending(counts, past if counts.n else (), look=look)  # nothing came: nothing old is told again
    baseline = reference.baseline or Baseline("training", profile.rows)
    if baseline.window is not None:  # an earlier window stands for one window, not for several
        blocks, drift_rule = blocks[:1], replace(drift_rule, scales=1)
    *features, prediction = _judge_columns(profile, blocks, drift_rule)
    outcomes = Outcomes(rows.scores, counts.n, rows.delays_s, rows.n_known, rows.n_too_large)
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
        baseline=baseline,
        estimate=_estimate(rows, reference, performance_rule, look),
        segments=_segments(rows, reference, performance_rule),
    )


def _estimate(rows: WindowRows, reference: Reference, rule: PerformanceRule, look: int) -> EstimateReport:
    if rows.answers is None:
        return NOT_ESTIMATED
    frame = None if rows.asked is None else rows.asked.frame
    return estimate_performance(
        EstimatedRows(rows.answers, frame, rows.scores, rows.scored_frame),
        reference.basis,
        reference.metrics,
        EstimationRule(reference.task, rule.metrics, rule.margin, rule.min_labelled, reference.value),
        alpha=spend(rule.false_alarm_budget, look=look),
        failed=rows.distrust,
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


def _segments(rows: WindowRows, reference: Reference, rule: PerformanceRule) -> SegmentReport:
    if reference.schema is None or rows.scores is None or rows.scored_frame is None:
        return NO_SEGMENTS
    return find_weak_spots(
        reference.schema, rows.scored_frame, rows.scores, rule.segments, delays_s=rows.delays_s, asked=rows.asked
    )


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
