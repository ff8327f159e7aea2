"""Ask the retrain policy, on the outcomes known since the alarm began, and record its answer."""

from datetime import datetime

from vigie.domain.event import Event, EventKind
from vigie.domain.measurement import Verdict
from vigie.domain.window import Window
from vigie.loop.champion import OpenVersion
from vigie.loop.context import Loop
from vigie.loop.logged import labelled_table
from vigie.monitoring.assess import Report
from vigie.retraining.policy import RetrainDecision, decide
from vigie.retraining.triggers import find_triggers


def decide_retraining(loop: Loop, opened: OpenVersion, report: Report) -> tuple[RetrainDecision, Window]:
    """Return what the policy says of a window just judged, and the window whose outcomes to learn from.

    Outcomes are late: those of the first alarming window may arrive during the next ones. So the window to learn from
    reaches back to the beginning of the unbroken run of alarms that this one ends.
    """
    triggers = find_triggers(
        performance=report.performance.verdict, prediction=report.prediction.verdict, drifted=report.drifted
    )
    window = _since_alarm_began(loop, report)
    n_labelled = _n_labelled(loop, opened, window) if triggers else 0
    decision = decide(
        triggers,
        loop.rules.retraining,
        n_labelled=n_labelled,
        last_retrained_at=_last_retrained_at(loop),
        now=loop.clock.now(),
    )
    if decision.asked:
        loop.ledger.append(_event(loop, report, decision, n_labelled))
    return decision, window


def record_undone(loop: Loop, report: Report, trouble: str) -> Event:
    """Record that a retraining was decided on and could not be done, so that it starts no cool-down."""
    return loop.ledger.append(
        Event(
            kind=EventKind.RETRAIN_DECIDED,
            at=loop.clock.now(),
            model=loop.model,
            version=report.version,
            summary="The retraining could not be done.",
            reasons=(trouble,),
            evidence={"retrain": False, "undone": True},
        )
    )


def _last_retrained_at(loop: Loop) -> datetime | None:
    latest: list[datetime] = []
    for event in loop.ledger.events(loop.model, kinds=(EventKind.RETRAIN_DECIDED,)):
        if event.evidence["retrain"]:
            latest.append(event.at)
        elif event.evidence.get("undone"):
            latest = latest[:-1]
    return latest[-1] if latest else None


def _since_alarm_began(loop: Loop, report: Report) -> Window:
    start = report.window.start
    for event in reversed(loop.ledger.events(loop.model, kinds=(EventKind.MONITORED,), version=report.version)):
        if event.evidence["verdict"] != Verdict.ALARM.value:
            break
        start = start.fromisoformat(event.evidence["window"]["start"])
    return Window(start, report.window.end)


def _n_labelled(loop: Loop, opened: OpenVersion, window: Window) -> int:
    rows = loop.log.rows(loop.model, opened.schema, window, version=opened.version)
    return int(labelled_table(rows, opened.schema).num_rows)


def _event(loop: Loop, report: Report, decision: RetrainDecision, n_labelled: int) -> Event:
    return Event(
        kind=EventKind.RETRAIN_DECIDED,
        at=loop.clock.now(),
        model=loop.model,
        version=report.version,
        summary="Retrain." if decision.retrain else "Do not retrain yet.",
        reasons=decision.reasons,
        evidence={"retrain": decision.retrain, "n_labelled": n_labelled},
    )
