"""What a person is told when something is wrong, and when it is over."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """A notice waits for office hours; a page does not. Changed inputs alone are a notice."""

    NOTICE = "notice"
    PAGE = "page"


class Subject(StrEnum):
    """What an alert is about, in the order of evidence: the first says most."""

    SERVICE = "service"
    PERFORMANCE = "performance"
    ESTIMATE = "estimate"
    PREDICTION = "prediction"
    INPUTS = "inputs"

    @property
    def severity(self) -> Severity:
        """How grave an alarm about it is: what changed is a notice, what got worse or stopped is a page."""
        return Severity.NOTICE if self in {Subject.PREDICTION, Subject.INPUTS} else Severity.PAGE


class Step(StrEnum):
    """The life of an alert."""

    OPENED = "opened"
    UPDATED = "updated"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Change:
    """One step of one alert.

    Attributes:
        alert: its id, the same from opened to resolved.
        step: what happened to it.
        subject: what it is about.
        title: in a few words.
        version: whose alert it is; None where it is not a version's (the service).
        about: the features concerned, where features are.
        told: whether a person was told of the alert, by this step or an earlier one.
        revision: which step of the alert this is, counted from 1.
    """

    alert: str
    step: Step
    subject: Subject
    title: str
    version: str | None = None
    about: tuple[str, ...] = ()
    told: bool = False
    revision: int = 1

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "alert": self.alert,
            "step": self.step.value,
            "subject": self.subject.value,
            "severity": self.subject.severity.value,
            "title": self.title,
            "version": self.version,
            "about": list(self.about),
            "told": self.told,
            "revision": self.revision,
        }


@dataclass(frozen=True, slots=True)
class Alert:
    """One message: a title, sentences, how grave it is, and the steps it tells of.

    Attributes:
        model: registered name.
        severity: how grave.
        title: in a few words.
        body: sentences, one a line.
        id: the same however often the message is sent, so that a receiver can tell a repetition; empty for none.
        version: the version that serves, where one does.
        changes: what it tells of, the strongest evidence first.
    """

    model: str
    severity: Severity
    title: str
    body: str
    id: str = ""
    version: str | None = None
    changes: tuple[Change, ...] = ()

    @property
    def resolved(self) -> bool:
        """Whether it only tells of what is over."""
        return bool(self.changes) and all(change.step is Step.RESOLVED for change in self.changes)

    @property
    def word(self) -> str:
        """What it begins with: ``page``, ``notice`` or ``resolved``."""
        return Step.RESOLVED.value if self.resolved else self.severity.value
