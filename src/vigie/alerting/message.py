"""The one message of a turn, in words."""

import hashlib
from collections.abc import Sequence

from vigie.alerting.life import Moment
from vigie.domain.alert import Alert, Change, Severity, Step

_CHANGED = {Step.OPENED: "Began", Step.UPDATED: "Goes on", Step.RESOLVED: "Over"}


def compose(changes: Sequence[Change], headline: Sequence[str], moment: Moment) -> Alert:
    """Return the message that tells of a turn's steps.

    Args:
        changes: from ``life.changes``, at least one.
        headline: the report's own sentences; they become the body, and the steps stand below.
        moment: model, version and time.
    """
    live = [change for change in changes if change.step is not Step.RESOLVED]
    severity = max((change.subject.severity for change in live), key=list(Severity).index, default=Severity.NOTICE)
    title = "; ".join(change.title for change in live or changes)
    return Alert(
        model=moment.model,
        severity=severity,
        title=title,
        body="\n".join((*headline, *(described(change) for change in changes))),
        id=_identity(changes),
        version=moment.version,
        changes=tuple(changes),
    )


def described(change: Change) -> str:
    """Return one step as a sentence."""
    return f"{_CHANGED[change.step]}: {change.title} ({change.alert})."


def _identity(changes: Sequence[Change]) -> str:
    """Return a name that the same steps have whenever they are told, also by a process that had to begin again."""
    steps = "\n".join(f"{change.alert} {change.revision} {change.step}" for change in changes)
    return f"msg_{hashlib.sha256(steps.encode()).hexdigest()[:32]}"
