"""Tell a person, and record that it was told."""

from vigie.alerting.rules import alert_for
from vigie.domain.alert import Alert
from vigie.domain.event import Event, EventKind
from vigie.errors import VigieError
from vigie.loop.context import Loop
from vigie.monitoring.assess import Report


def alert(loop: Loop, report: Report) -> Alert | None:
    """Send what a report calls for; return it, or None for a calm window."""
    raised = alert_for(
        loop.model,
        performance=report.performance.verdict,
        prediction=report.prediction.actionable,
        drifted=report.confirmed,
        headline=report.headline,
    )
    if raised is None:
        return None
    trouble: tuple[str, ...] = ()
    try:
        loop.notifier.send(raised)
    except VigieError as error:
        # The promise kept here: a broken channel never stops the loop; the ledger says that nobody was told.
        trouble = (f"The alert could not be delivered: {error}",)
    loop.ledger.append(
        Event(
            kind=EventKind.ALERTED,
            at=loop.clock.now(),
            model=loop.model,
            version=report.version,
            summary=f"{raised.severity.value.capitalize()}: {raised.title}.",
            reasons=(*report.headline, *trouble),
            evidence={"severity": raised.severity.value, "drifted": list(report.confirmed)},
        )
    )
    return raised
