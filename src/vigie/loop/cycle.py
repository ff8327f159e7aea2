"""One turn of the loop: monitor, alert, decide, retrain, gate, promote."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from vigie.domain.alert import Alert
from vigie.domain.event import Event
from vigie.domain.measurement import Verdict
from vigie.errors import AliasMovedError, ConfigurationError, DataError, LeaseHeldError, VigieError
from vigie.loop.alert import alert
from vigie.loop.champion import champion_version, open_version
from vigie.loop.context import Loop
from vigie.loop.decide import decide_retraining, record_undone
from vigie.loop.misnamed import misnamed
from vigie.loop.monitor import monitor, next_look, open_outcomes, open_window, record_look
from vigie.loop.origin import Origin
from vigie.loop.promote import Move, notice_moved_alias, promote
from vigie.loop.retrain import Challenge, retrain
from vigie.loop.service import with_service
from vigie.monitoring.window_report import Report
from vigie.retraining.policy import RetrainDecision
from vigie.training.progress import Progress

Show = Callable[[Report], None]
"""Called with a window that was judged and closed, before anything is done about it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn found and did; later parts are None where the turn ended before them.

    Attributes:
        report: the window, judged.
        closed: whether the window is now closed; one with too few predictions goes on filling.
        alert: the message that was sent to a person.
        decision: what the retrain policy said.
        challenge: the challenger and the gate's decision.
        promoted: the change of champion.
        trouble: why a retraining that was decided on could not be done, or its challenger not be promoted.
        misnamed: an error for every column that monitoring's settings name and this champion does not take. The turn
            passes over them; who promotes a version need not know what the settings name.
    """

    report: Report
    closed: bool = True
    alert: Alert | None = None
    decision: RetrainDecision | None = None
    challenge: Challenge | None = None
    promoted: Event | None = None
    trouble: str = ""
    misnamed: tuple[ConfigurationError, ...] = ()

    @property
    def needs_attention(self) -> bool:
        """Whether it ends in an alarm that no promotion answered; a service that is not well is one at any time."""
        if self.report.service.verdict is Verdict.ALARM:
            return True
        return self.closed and self.report.actionable is Verdict.ALARM and self.promoted is None


def turn(loop: Loop, *, origin: Origin, owner: str, progress: Progress, show: Show = lambda _report: None) -> Turn:
    """Look at the champion's open window and do what the rules say.

    Raises:
        NoChampionError: nothing serves.
        BundleError: the champion's bundle does not pass its checks.
        StorageError: a store failed.
    """
    version = champion_version(loop)
    notice_moved_alias(loop, version)
    opened = open_version(loop, version)
    window = open_window(loop, version, settled=True)
    outcomes = open_outcomes(loop, version, window)
    report = with_service(loop, monitor(loop, opened, window, look=next_look(loop, version), outcomes=outcomes))
    closed = report.n >= loop.rules.alarm.min_rows
    wrong = tuple(misnamed(opened.schema, calendar=loop.rules.alarm.calendar, segments=loop.rules.segments))
    told = alert(loop, report, closed=closed, beside=[str(error) for error in wrong])
    found = Turn(report, closed=closed, alert=told, misnamed=wrong)
    if not closed:
        return found
    decision, rows = decide_retraining(loop, opened, report, outcomes)
    found = replace(found, decision=decision)
    record_look(loop, report, outcomes)
    show(report)
    if not decision.retrain:
        return found
    challenge, promoted, trouble = None, None, ""
    try:
        challenge = retrain(loop, opened, rows, origin=origin, progress=progress)
        if (gate := challenge.decision).promote:
            move = Move(challenge.version.version, expected=version, reasons=gate.reasons, evidence=gate.to_dict())
            promoted = promote(loop, move, owner=owner)
    except Exception as error:
        # The promise kept here: a retraining that broke off starts no cool-down, whatever it broke off at.
        why = str(error) if isinstance(error, VigieError) else f"{type(error).__name__}: {error}"
        record_undone(loop, report, why, challenger=challenge.version.version if challenge else None)
        if not isinstance(error, (DataError, AliasMovedError, LeaseHeldError)):
            raise
        trouble = str(error)
    return replace(found, challenge=challenge, promoted=promoted, trouble=trouble)
