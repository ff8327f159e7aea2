"""Ask the retrain policy, on the outcomes known since the alarm began, and record its answer."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from vigie.domain.event import Event, EventKind
from vigie.domain.measurement import Verdict
from vigie.domain.window import Window
from vigie.loop.champion import OpenVersion
from vigie.loop.context import Loop
from vigie.loop.logged import labelled_table
from vigie.monitoring.window_report import Report
from vigie.ports import LoggedRows
from vigie.retraining.policy import Earlier, RetrainDecision, decide
from vigie.retraining.triggers import find_triggers


def decide_retraining(
    loop: Loop, opened: OpenVersion, report: Report, outcomes: Window
) -> tuple[RetrainDecision, LoggedRows]:
    """Return what the policy says of a window just judged, and the logged rows to learn from.

    They reach back to the beginning of the unbroken run of alarms that this window ends. Outcomes are late, so it
    matters what raised the alarm. Where performance fell, the outcomes that arrived since are the ones that tell of it,
    whenever they had been predicted. Where only inputs or predictions changed, the predictions made since are the
    changed ones, and the policy waits until enough of their outcomes have come.

    Args:
        loop: ports and rules.
        opened: the champion.
        report: the window just judged.
        outcomes: when the outcomes arrived that the report judges.
    """
    triggers = find_triggers(
        performance=report.performance.verdict, prediction=report.prediction.actionable, drifted=report.confirmed
    )
    rows = _rows_to_learn_from(loop, opened, report, outcomes)
    n_labelled = int(labelled_table(rows, opened.schema).num_rows) if triggers else 0
    decision = decide(
        triggers,
        loop.rules.retraining,
        n_labelled=n_labelled,
        earlier=_earlier(loop),
        now=loop.clock.now(),
    )
    if decision.asked:
        loop.ledger.append(_event(loop, report, decision, n_labelled))
    return decision, rows


def record_undone(loop: Loop, report: Report, trouble: str, *, challenger: str | None) -> Event:
    """Record that a retraining was decided on and changed nothing, so that it starts no cool-down.

    Args:
        loop: ports and rules.
        report: the window that asked for it.
        trouble: why, in one sentence.
        challenger: the version that the gate let pass and that was not promoted all the same; None where it was not
            come so far.
    """
    what = f"Version {challenger} was not promoted." if challenger else "The retraining could not be done."
    return loop.ledger.append(
        Event(
            kind=EventKind.RETRAIN_DECIDED,
            at=loop.clock.now(),
            model=loop.model,
            version=report.version,
            summary=what,
            reasons=(trouble,),
            evidence={"retrain": False, "undone": True},
        )
    )


def _earlier(loop: Loop) -> Earlier:
    """Read from the ledger which retrainings came to an end: a gate's decision, or that they could not be done."""
    ended: list[datetime] = []
    begun: list[datetime] = []
    for event in loop.ledger.events(loop.model, kinds=(EventKind.RETRAIN_DECIDED, EventKind.GATED)):
        if event.evidence.get("retrain"):
            begun.append(event.at)
        elif event.evidence.get("undone"):
            # it changed nothing, whether the gate had spoken or not
            ended = ended if begun else ended[:-1]
            begun = []
        elif event.kind is EventKind.GATED:
            ended, begun = [*ended, *begun[-1:]], []
    return Earlier(ended[-1] if ended else None, tuple(begun))


def _rows_to_learn_from(loop: Loop, opened: OpenVersion, report: Report, outcomes: Window) -> LoggedRows:
    made, arrived = report.window.start, outcomes.start
    for event in reversed(loop.ledger.events(loop.model, kinds=(EventKind.MONITORED,), version=report.version)):
        if not _told_of_a_change(event.evidence):
            break
        made = min(made, made.fromisoformat(event.evidence["window"]["start"]))
        arrived = min(arrived, arrived.fromisoformat(event.evidence["outcomes"]["start"]))
    if report.performance.verdict is Verdict.ALARM:
        since = Window(arrived, outcomes.end)
        return loop.log.outcomes(loop.model, opened.schema, since, version=opened.version)
    return loop.log.rows(loop.model, opened.schema, Window(made, report.window.end), version=opened.version)


def _told_of_a_change(evidence: Mapping[str, Any]) -> bool:
    """Whether a judged window raised an alarm that new rows could answer; a silent server is none."""
    parts = (evidence["performance"], evidence["prediction"], *evidence["features"])
    return any(part["verdict"] == Verdict.ALARM.value for part in parts)


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
