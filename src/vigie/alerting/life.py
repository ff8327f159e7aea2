"""The life of an alert: opened, updated, resolved, and when a person hears of it.

One alert at a time for each version and subject. It opens with an alarm, is updated when what it says changes, and is
resolved by a verdict that is ``ok`` again: a warning or "not enough data yet" leaves it as it is. It is told once, and
then only when it says more than before and the cool-down is over; what flaps is recorded and not told. Everything that
one turn has to tell is one message; what is not confirmed, or ends unheard, never goes along with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from vigie.alerting.memory import Key, Standing
from vigie.domain.alert import Change, Step, Subject
from vigie.domain.measurement import Verdict


@dataclass(frozen=True, slots=True)
class Finding:
    """What a report says of one subject.

    Attributes:
        subject: what it is about.
        verdict: the report's own.
        title: what an alert about it is called.
        about: the features concerned, where features are.
        confirmed: whether a person may be told; an alarm that must be seen twice is not confirmed the first time.
    """

    subject: Subject
    verdict: Verdict
    title: str
    about: tuple[str, ...] = ()
    confirmed: bool = True


@dataclass(frozen=True, slots=True)
class AlertRule:
    """What a person decides about alerts.

    Attributes:
        cooldown: least time between two messages about one version and subject.
    """

    cooldown: timedelta


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happens to the alerts of a model in one turn.

    Attributes:
        changes: steps to record, what is alive before what is over, the strongest evidence first.
        told: those of them that go in one message, in the same order; none when nobody need hear of it.
    """

    changes: tuple[Change, ...]
    told: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a turn stands.

    Attributes:
        model: registered name.
        version: the version that serves.
        now: aware UTC.
    """

    model: str
    version: str
    now: datetime


def changes(standings: Mapping[Key, Standing], findings: Sequence[Finding], moment: Moment, rule: AlertRule) -> Outcome:
    """Return what happens to every alert in one turn.

    Args:
        standings: how alerts stand, see ``memory.standings``.
        findings: what was found; a subject that is not among them stays as it is.
        moment: model, version and time.
        rule: how often a person may be told.
    """
    taken = [_retired(standing) for standing in standings.values() if _left_behind(standing, moment)]
    for finding in findings:
        key = (None if finding.subject is Subject.SERVICE else moment.version, finding.subject)
        step = _step(standings.get(key), finding, key, moment)
        if step is not None:
            taken.append(step)
    order = list(Subject)
    taken.sort(key=lambda change: (change.step is Step.RESOLVED, order.index(change.subject)))
    found = {finding.subject: finding for finding in findings}
    told: tuple[Change, ...] = ()
    if any(_worth_telling(change, standings, found, moment, rule) for change in taken):
        taken = [replace(change, told=True) if _may_be_told(change, found) else change for change in taken]
        told = tuple(change for change in taken if _may_be_told(change, found))
    return Outcome(tuple(change for change in taken if change in told or _says_something(change, standings)), told)


def _step(standing: Standing | None, finding: Finding, key: Key, moment: Moment) -> Change | None:
    version, subject = key
    if standing is None or not standing.open:
        if finding.verdict is not Verdict.ALARM:
            return None
        number = (standing.number if standing else 0) + 1
        identity = ".".join((moment.model, *([version] if version else []), subject.value, str(number)))
        return Change(identity, Step.OPENED, subject, finding.title, version, finding.about)
    if finding.verdict is Verdict.OK:
        return _next(standing, Step.RESOLVED)
    if finding.verdict is not Verdict.ALARM:
        return None
    before = _next(standing, Step.UPDATED)
    now = replace(before, title=finding.title, about=finding.about)
    # what was not told yet is brought up at every turn, until the cool-down lets it through
    return now if now != before or _owed(standing) else None


def _worth_telling(
    change: Change,
    standings: Mapping[Key, Standing],
    findings: Mapping[Subject, Finding],
    moment: Moment,
    rule: AlertRule,
) -> bool:
    if change.step is Step.RESOLVED or not _may_be_told(change, findings):
        return _may_be_told(change, findings)
    standing = standings.get((change.version, change.subject))
    return standing is None or standing.told_at is None or abs(moment.now - standing.told_at) >= rule.cooldown


def _may_be_told(change: Change, findings: Mapping[Subject, Finding]) -> bool:
    """Whether a person may hear of a step: not of what is not confirmed; what nobody heard of ends unheard."""
    return change.told if change.step is Step.RESOLVED else findings[change.subject].confirmed


def _says_something(change: Change, standings: Mapping[Key, Standing]) -> bool:
    """Whether a step that is not told is worth recording: an update only if it says something else than before."""
    standing = standings.get((change.version, change.subject))
    if change.step is not Step.UPDATED or standing is None:
        return True
    return (change.title, change.about) != (standing.latest.title, standing.latest.about)


def _owed(standing: Standing) -> bool:
    """Whether the alert has taken a step since a person last heard of it."""
    return standing.told_at is None or standing.told_at < standing.changed_at


def _left_behind(standing: Standing, moment: Moment) -> bool:
    return standing.open and standing.latest.version not in {None, moment.version}


def _retired(standing: Standing) -> Change:
    return _next(standing, Step.RESOLVED)


def _next(standing: Standing, step: Step) -> Change:
    return replace(standing.latest, step=step, revision=standing.latest.revision + 1)
