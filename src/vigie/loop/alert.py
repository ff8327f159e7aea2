"""Tell a person what a report calls for, once, and record that it was told."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from vigie.alerting.life import Finding, Moment, changes
from vigie.alerting.memory import Undelivered, message_dict, standings, undelivered
from vigie.alerting.message import compose, described
from vigie.domain.alert import Alert, Change, Step, Subject
from vigie.domain.event import Event, EventKind
from vigie.domain.measurement import Verdict
from vigie.errors import VigieError
from vigie.loop.context import Loop
from vigie.monitoring.window_report import Report
from vigie.ports import Notifier

MAX_TRIES: Final = 10
"""How often a message is tried on a channel: a channel that fails for ten turns is broken, not busy."""


def alert(loop: Loop, report: Report, *, closed: bool = True, beside: Sequence[str] = ()) -> Alert | None:
    """Take every alert a step further and send what is worth telling; return the message, None for a calm turn.

    Args:
        loop: ports and rules.
        report: the window, judged.
        closed: whether the window is judged for good; of an open one only the service can say anything yet.
        beside: sentences that a message ends with, where there is one to send.
    """
    events = loop.ledger.events(loop.model, kinds=(EventKind.ALERTED,))
    if (late := undelivered(events)) is not None and late.tries < MAX_TRIES:
        _send_again(loop, late)
    findings = [finding for finding in findings_of(report) if closed or finding.subject is Subject.SERVICE]
    moment = Moment(loop.model, report.version, loop.clock.now())
    outcome = changes(standings(events), findings, moment, loop.rules.alerts)
    if not outcome.changes:
        return None
    said = (*_retired(outcome.told, report.version), *_sentences(report, closed=closed), *beside)
    message = compose(outcome.told, said, moment) if outcome.told else None
    troubles = _deliver(loop.channels, message) if message else {}
    _record(loop, outcome.changes, message, troubles, unheard=_unheard(outcome.changes, findings))
    return message


def findings_of(report: Report) -> tuple[Finding, ...]:
    """Return what a report says of each subject, by its own verdicts, the strongest evidence first."""
    inputs = report.confirmed or report.drifted
    return (
        Finding(Subject.SERVICE, report.service.verdict, "the service is not well"),
        Finding(Subject.PERFORMANCE, report.performance.verdict, "realised performance fell"),
        Finding(Subject.ESTIMATE, report.estimate.verdict, "performance is estimated to be worse"),
        Finding(
            Subject.PREDICTION,
            report.prediction.verdict,
            "predictions changed",
            confirmed=report.prediction.confirmed,
        ),
        Finding(
            Subject.INPUTS,
            Verdict.worst(feature.verdict for feature in report.features if feature.verdict is not Verdict.UNKNOWN),
            f"inputs changed: {', '.join(inputs)}",
            about=inputs,
            confirmed=bool(report.confirmed),
        ),
    )


def _retired(steps: Sequence[Change], version: str) -> tuple[str, ...]:
    """Say of alerts about a version that no longer serves that this is why they are over."""
    gone = sorted({step.version for step in steps if step.version is not None and step.version != version})
    return tuple(f"Version {before} is no longer the champion: version {version} is." for before in gone)


def _sentences(report: Report, *, closed: bool) -> tuple[str, ...]:
    """Return the report's own words; of an open window only what it says of the service."""
    return report.told if closed else (report.service.reason,)


def _deliver(channels: Mapping[str, Notifier], message: Alert) -> dict[str, str]:
    """Send to every channel; return what went wrong by channel."""
    troubles = {}
    for label, channel in channels.items():
        try:
            channel.send(message)
        except VigieError as error:
            # The promise kept here: a broken channel never stops the loop; the ledger says who was not told, and the
            # next turn tries again.
            troubles[label] = str(error)
    return troubles


def _send_again(loop: Loop, late: Undelivered) -> None:
    channels = {label: loop.channels[label] for label in late.channels if label in loop.channels}
    troubles = _deliver(channels, late.message)
    tries = late.tries + 1
    said = f"Try {tries} of {MAX_TRIES} to deliver: {late.message.title}."
    reached = tuple(f"Delivered to {label}." for label in channels if label not in troubles)
    evidence = _evidence((), late.message, troubles, tries)
    _append(loop, late.message, said, (*reached, *_reasons(troubles)), evidence)


def _unheard(steps: Sequence[Change], findings: Sequence[Finding]) -> str:
    """Return why steps are not told."""
    live = {step.subject for step in steps if step.step is not Step.RESOLVED}
    if not live:
        return "Not told: over before anybody had heard of it."
    if not any(finding.confirmed for finding in findings if finding.subject in live):
        return "Not told yet: the alarm is not confirmed; the next one in a row does."
    return "Not told yet: the last message is younger than alerting.cooldown."


def _record(
    loop: Loop, steps: Sequence[Change], message: Alert | None, troubles: Mapping[str, str], *, unheard: str
) -> None:
    if message is not None:
        summary = f"{message.word.capitalize()}: {message.title}."
        silent = tuple(f"Not told. {described(step)}" for step in steps if step not in message.changes)
        reasons = (*message.body.splitlines(), *silent, *_reasons(troubles))
    else:
        summary = unheard
        reasons = tuple(described(step) for step in steps)
    _append(loop, message or steps[0], summary, reasons, _evidence(steps, message, troubles, 1))


def _reasons(troubles: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(f"The alert could not be delivered: {trouble}" for trouble in troubles.values())


def _evidence(
    steps: Sequence[Change], message: Alert | None, troubles: Mapping[str, str], tries: int
) -> dict[str, Any]:
    return {
        "steps": [step.to_dict() for step in steps],
        "message": message_dict(message) if message else None,
        "undelivered": sorted(troubles),
        "tries": tries,
    }


def _append(loop: Loop, about: Alert | Change, summary: str, reasons: Sequence[str], evidence: dict[str, Any]) -> None:
    loop.ledger.append(
        Event(
            kind=EventKind.ALERTED,
            at=loop.clock.now(),
            model=loop.model,
            version=about.version,
            summary=summary,
            reasons=tuple(reasons),
            evidence=evidence,
        )
    )
