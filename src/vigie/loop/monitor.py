"""Judge what a version answered in a window, or what it would have answered on a table."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from vigie.domain.event import Event, EventKind
from vigie.domain.measurement import Interval, Measurement, Verdict
from vigie.domain.window import Window
from vigie.errors import InsufficientDataError
from vigie.evaluation.metrics import DEFAULT_METRIC, ROW_LOSS
from vigie.loop.answers import answers_of
from vigie.loop.champion import OpenVersion
from vigie.loop.context import Loop
from vigie.loop.judged import read_judged
from vigie.loop.logged import frame_of, labelled_of, latency_of, predicted_of
from vigie.loop.train import predicted_quantity
from vigie.monitoring.assess import Reference, Report, WindowRows, assess
from vigie.monitoring.performance import PerformanceRule
from vigie.promotion.history import reigns

SETTLING = timedelta(seconds=1)
"""How long a prediction may take from its date to the log."""


def monitor(loop: Loop, opened: OpenVersion, window: Window, *, look: int, outcomes: Window | None = None) -> Report:
    """Judge the logged answers of one version in one window. Reads only; nothing is recorded.

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
    rows = loop.log.rows(loop.model, schema, window, version=opened.version)
    arrived = loop.log.outcomes(loop.model, schema, outcomes or window, version=opened.version)
    scores, delays_s = labelled_of(arrived, schema)
    latency_us = latency_of(rows)
    window_rows = WindowRows(
        window=window,
        frame=frame_of(rows, schema),
        predicted=predicted_of(rows, schema),
        scores=scores if len(scores) else None,
        delays_s=delays_s,
        latency_us=latency_us if len(latency_us) else None,
        n_known=len(labelled_of(rows, schema)[0]),
    )
    return _judge(loop, opened, window_rows, look)


def backtest(loop: Loop, opened: OpenVersion, table: pa.Table, window: Window, *, look: int) -> Report:
    """Judge a table as if it had been a window of traffic, its outcomes all known.

    Raises:
        DataError: the table does not fit the version's schema.
    """
    frame, y = read_judged(table, opened.schema)
    task = opened.schema.target.task
    if not len(frame):
        raise InsufficientDataError("Judging a table", needed=1, found=0)
    scores = answers_of(opened.bundle, frame, y)
    window_rows = WindowRows(
        window=window,
        frame=frame,
        predicted=predicted_quantity(scores, task),
        scores=scores,
        delays_s=np.empty(0),
        latency_us=None,
    )
    return _judge(loop, opened, window_rows, look)


def open_window(loop: Loop, version: str, *, settled: bool = False) -> Window:
    """Return the window that is still open: from the last judged one, or from the promotion, until now.

    Args:
        loop: ports.
        version: whose window.
        settled: whether to leave out the last second. A prediction is dated before it is logged: a window that is
            closed must not end so near to the present that one of its predictions may still be on its way.
    """
    now = loop.clock.now() - (SETTLING if settled else timedelta(0))
    start = _reign_began(loop, version)
    for event in loop.ledger.events(loop.model, kinds=(EventKind.MONITORED,), version=version):
        end = now.fromisoformat(event.evidence["window"]["end"])
        start = end if start is None else max(start, end)
    return Window(min(start or now, now), now)


def open_outcomes(loop: Loop, version: str, window: Window) -> Window:
    """Return when the outcomes arrived that were not judged yet: since the last verdict on performance that was one.

    Where few come back per window they add up, until there are enough to say something.
    """
    start = _reign_began(loop, version) or window.start
    for event in loop.ledger.events(loop.model, kinds=(EventKind.MONITORED,), version=version):
        if event.evidence["performance"]["verdict"] != Verdict.UNKNOWN.value:
            start = max(start, start.fromisoformat(event.evidence["window"]["end"]))
    return Window(min(start, window.end), window.end)


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


def _reign_began(loop: Loop, version: str) -> datetime | None:
    """Return when a version last became champion, None when it never did."""
    return next(
        (reign.since for reign in reversed(reigns(loop.ledger.events(loop.model))) if reign.version == version), None
    )


def _judge(loop: Loop, opened: OpenVersion, rows: WindowRows, look: int) -> Report:
    task = opened.schema.target.task
    reference = Reference(
        model=loop.model,
        version=opened.version,
        task=task,
        profile=opened.profile,
        metrics={item["name"]: _measurement(item) for item in opened.bundle.manifest.metrics},
        value=loop.rules.value,
    )
    rules = loop.rules
    performance = PerformanceRule(
        metrics=tuple(dict.fromkeys((rules.training.metric or DEFAULT_METRIC[task], ROW_LOSS[task]))),
        margin=rules.performance_margin,
        min_labelled=rules.min_labelled,
        false_alarm_budget=rules.alarm.false_alarm_budget,
    )
    return assess(rows, reference, rules.alarm, performance, look=look)


def _measurement(item: Mapping[str, Any]) -> Measurement:
    interval = item["interval"]
    return Measurement(
        name=item["name"],
        value=item["value"],
        unit=item["unit"],
        n=item["n"],
        interval=Interval(**interval) if interval else None,
    )
