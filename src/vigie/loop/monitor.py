"""Judge what a version answered in a window, or what it would have answered on a table."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from vigie.domain.event import Event, EventKind
from vigie.domain.measurement import Measurement, Verdict
from vigie.domain.window import Window
from vigie.errors import InsufficientDataError
from vigie.evaluation.metrics import DEFAULT_METRIC, ROW_LOSS
from vigie.loop.answers import answers_of
from vigie.loop.champion import OpenVersion
from vigie.loop.context import Loop
from vigie.loop.earlier import earlier_looks, last_distrust, looks_of
from vigie.loop.hours import counts_in
from vigie.loop.judged import read_traffic
from vigie.loop.logged import (
    answers_in,
    frame_of,
    labelled_mask,
    labelled_of,
    labelled_part,
    latency_of,
    n_labelled,
    n_too_large,
)
from vigie.loop.past import compared_with, past_counts, training_instead
from vigie.loop.quantity import predicted_quantity
from vigie.monitoring.assess import Reference, WindowRows, assess
from vigie.monitoring.counts import WindowCounts, count_window
from vigie.monitoring.expected import Answers
from vigie.monitoring.performance import PerformanceRule
from vigie.monitoring.weak_spots import AskedRows
from vigie.monitoring.window_report import Report
from vigie.promotion.history import reigns

SETTLING = timedelta(seconds=1)
"""How long a prediction may take from its date to the log."""

CLOCK_ERROR = timedelta(hours=1)
"""A date further ahead than this is none that a clock gave which is only a little wrong."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def monitor(loop: Loop, opened: OpenVersion, window: Window, *, look: int, outcomes: Window | None = None) -> Report:
    """Judge the logged answers of one version in one window. Nothing is recorded but the counts beside the log.

    Inputs and predictions are those made in the window; performance is that of the outcomes that arrived in
    ``outcomes``, whenever they had been predicted. An outcome a month late is judged when it comes.

    Args:
        loop: ports and rules.
        opened: the version that answered.
        window: when.
        look: which look of the false-alarm budget this is, see ``next_look``.
        outcomes: when the outcomes arrived, see ``open_outcomes``; None for the window itself.
    """
    schema = opened.schema
    records = loop.log.records(loop.model, schema, window, version=opened.version)
    arrived = loop.log.outcomes(loop.model, schema, outcomes or window, version=opened.version)
    scored = labelled_part(arrived, schema)
    scores, delays_s = labelled_of(scored, schema)
    latency_us = latency_of(records)
    window_rows = WindowRows(
        window=window,
        counts=counts_in(loop, opened, window),
        scores=scores if len(scores) else None,
        delays_s=delays_s,
        latency_us=latency_us if len(latency_us) else None,
        n_known=n_labelled(records, schema),
        n_too_large=n_too_large(arrived.records, schema),
        earlier=earlier_looks(loop, opened.version, outcomes or window),
        answers=answers_in(records, schema),
        scored_frame=frame_of(scored, schema),
        distrust=last_distrust(loop, opened.version),
        asked=_asked(loop, opened, window, is_judged=len(scores) > 0),
    )
    profile, baseline = compared_with(loop, opened, window)
    past = past_counts(loop, opened, window, look=look)
    return assess(
        window_rows,
        replace(_reference(loop, opened), profile=profile, baseline=baseline),
        loop.rules.alarm,
        _performance_rule(loop, opened),
        look=look,
        past=past,
    )


def _asked(loop: Loop, opened: OpenVersion, window: Window, *, is_judged: bool) -> AskedRows | None:
    """Return the features of a window where somebody looks at them: declared segments, or the estimate of a number."""
    schema = opened.schema
    is_estimated = not schema.target.task.is_classification and opened.basis is not None
    if not (loop.rules.segments and is_judged) and not is_estimated:
        return None
    rows = loop.log.rows(loop.model, schema, window, version=opened.version)
    return AskedRows(frame_of(rows, schema), labelled_mask(rows.records, schema))


def backtest(loop: Loop, opened: OpenVersion, table: pa.Table, window: Window, *, look: int) -> Report:
    """Judge a table as if it had been a window of traffic; rows may lack an outcome, and so may all.

    Args:
        loop: ports and rules.
        opened: the version that is asked.
        table: the rows, with the target where it is known.
        window: when they are taken to have come.
        look: its number among the tables judged one after the other.

    Raises:
        DataError: the table does not fit the version's schema.
    """
    rows = _as_traffic(opened, table, window, before=())
    return assess(rows, _for_a_table(loop, opened), loop.rules.alarm, _performance_rule(loop, opened), look=look)


def backtests(loop: Loop, opened: OpenVersion, pieces: Sequence[tuple[pa.Table, Window]]) -> list[Report]:
    """Judge tables one after the other, each as the window that follows the one before; see ``backtest``."""
    rule, past, reports = _performance_rule(loop, opened), list[WindowCounts](), list[Report]()
    for look, (table, window) in enumerate(pieces, start=1):
        rows = _as_traffic(opened, table, window, before=reports)
        reports.append(assess(rows, _for_a_table(loop, opened), loop.rules.alarm, rule, look=look, past=past))
        past.append(rows.counts)
    return reports


def _as_traffic(opened: OpenVersion, table: pa.Table, window: Window, *, before: Sequence[Report]) -> WindowRows:
    frame, y, known = read_traffic(table, opened.schema)
    if not len(frame):
        raise InsufficientDataError("Judging a table", needed=1, found=0)
    scores = answers_of(opened.bundle, frame, y)
    return WindowRows(
        window=window,
        counts=count_window(opened.profile, frame, predicted_quantity(scores, opened.schema.target.task)),
        scores=scores.take(known) if known.any() else None,
        delays_s=np.empty(0),
        latency_us=None,
        earlier=looks_of([report.performance.to_dict() for report in before]),
        answers=Answers(scores.predicted, scores.proba),
        scored_frame=frame[known],
        asked=AskedRows(frame, known),
    )


def open_window(loop: Loop, version: str, *, settled: bool = False) -> Window:
    """Return the window that is still open: from the last judged one, or from the promotion, until now.

    Args:
        loop: ports.
        version: whose window.
        settled: whether to leave out the last second. A prediction is dated before it is logged: a window that is
            closed must not end so near to the present that one of its predictions may still be on its way.
    """
    now = loop.clock.now() - (SETTLING if settled else timedelta(0))
    looks = loop.ledger.events(loop.model, kinds=(EventKind.MONITORED,), version=version)
    ends = [now.fromisoformat(event.evidence["window"]["end"]) for event in looks]
    start = _latest([*_reign_began(loop, version), *ends], now)
    return Window(min(start or now, now), now)


def open_outcomes(loop: Loop, version: str, window: Window) -> Window:
    """Return when the outcomes arrived that were not judged yet: since the last verdict on performance that was one.

    Where few come back per window they add up, until there are enough to say something.
    """
    looks = loop.ledger.events(loop.model, kinds=(EventKind.MONITORED,), version=version)
    told = [event for event in looks if event.evidence["performance"]["verdict"] != Verdict.UNKNOWN.value]
    ends = [window.end.fromisoformat(event.evidence["window"]["end"]) for event in told]
    start = _latest([*(_reign_began(loop, version) or [window.start]), *ends], window.end)
    return Window(min(start or window.end, window.end), window.end)


def next_look(loop: Loop, version: str) -> int:
    """Return the number of the next look at a version: each look may spend its own part of the budget."""
    return 1 + len(loop.ledger.events(loop.model, kinds=(EventKind.MONITORED,), version=version))


def record_look(loop: Loop, report: Report, outcomes: Window) -> Event:
    """Close a window: keep the report in the ledger, so that its look is spent and the next window begins.

    Args:
        loop: ports.
        report: what was found.
        outcomes: when the outcomes arrived that it judges.
    """
    return loop.ledger.append(
        Event(
            kind=EventKind.MONITORED,
            at=loop.clock.now(),
            model=loop.model,
            version=report.version,
            summary=f"Window of {report.n:,} predictions: {report.verdict.value}.",
            reasons=report.headline,
            evidence={**report.to_dict(), "outcomes": outcomes.to_dict()},
        )
    )


def _latest(moments: Sequence[datetime], now: datetime) -> datetime | None:
    """Return the latest moment, None without one, leaving out what a clock dated that had run far ahead.

    When such a clock is set right, the next window would otherwise not begin before that date. With nothing else to go
    by, everything the version ever answered is looked at.
    """
    believed = [moment for moment in moments if moment <= now + CLOCK_ERROR]
    return max(believed, default=_EPOCH if moments else None)


def _reign_began(loop: Loop, version: str) -> list[datetime]:
    """Return when a version last became champion, nothing when it never did."""
    return [reign.since for reign in reigns(loop.ledger.events(loop.model)) if reign.version == version][-1:]


def _reference(loop: Loop, opened: OpenVersion) -> Reference:
    return Reference(
        model=loop.model,
        version=opened.version,
        task=opened.schema.target.task,
        profile=opened.profile,
        metrics={item["name"]: Measurement.from_dict(item) for item in opened.bundle.manifest.metrics},
        value=loop.rules.value,
        schema=opened.schema,
        basis=opened.basis,
    )


def _for_a_table(loop: Loop, opened: OpenVersion) -> Reference:
    _, baseline = training_instead(loop, opened, "a table is no part of the traffic")
    return replace(_reference(loop, opened), baseline=baseline)


def _performance_rule(loop: Loop, opened: OpenVersion) -> PerformanceRule:
    task, rules = opened.schema.target.task, loop.rules
    return PerformanceRule(
        metrics=tuple(dict.fromkeys((rules.training.metric or DEFAULT_METRIC[task], ROW_LOSS[task]))),
        margin=rules.performance_margin,
        min_labelled=rules.min_labelled,
        false_alarm_budget=rules.alarm.false_alarm_budget,
        segments=rules.segments,
    )
