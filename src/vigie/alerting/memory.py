"""How alerts stand: read from the ledger's events, so that nothing else has to be kept in step with them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vigie.domain.alert import Alert, Change, Severity, Step, Subject
from vigie.domain.event import Event, EventKind

Key = tuple[str | None, Subject]
"""Version and subject: one alert at a time for each."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The latest alert of one version and subject.

    Attributes:
        latest: its latest step.
        number: how many there were, this one included.
        opened_at: when it began.
        changed_at: when its latest step was taken.
        told_at: when a person last heard of it, or of the one before it; None when nobody did.
    """

    latest: Change
    number: int
    opened_at: datetime
    changed_at: datetime
    told_at: datetime | None

    @property
    def open(self) -> bool:
        """Whether it is not over."""
        return self.latest.step is not Step.RESOLVED

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            **self.latest.to_dict(),
            "opened_at": self.opened_at.isoformat(),
            "changed_at": self.changed_at.isoformat(),
            "told_at": self.told_at.isoformat() if self.told_at else None,
        }


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A message that did not reach everybody.

    Attributes:
        message: as it was sent.
        channels: labels of those that failed.
        tries: how often it was tried.
    """

    message: Alert
    channels: tuple[str, ...]
    tries: int


def standings(events: Iterable[Event]) -> dict[Key, Standing]:
    """Return how every alert stands that ever was, the oldest key first.

    Args:
        events: of one model, oldest first; other kinds than ``alerted`` are passed over.
    """
    found: dict[Key, Standing] = {}
    for event in events:
        if event.kind is not EventKind.ALERTED:
            continue
        message = event.evidence.get("message") or {"changes": ()}
        heard_of = {item["alert"] for item in message["changes"]}
        for item in event.evidence.get("steps", ()):
            step = _change(item)
            key = (step.version, step.subject)
            before = found.get(key)
            new = before is None or not before.open
            told_before = before.told_at if before else None
            found[key] = Standing(
                latest=step,
                number=(before.number if before else 0) + new,
                opened_at=event.at if new or before is None else before.opened_at,
                changed_at=event.at,
                told_at=event.at if step.alert in heard_of else told_before,
            )
    return found


def open_alerts(events: Iterable[Event]) -> list[Standing]:
    """Return the alerts that are not over, the strongest evidence first."""
    order = list(Subject)
    return sorted(
        (standing for standing in standings(events).values() if standing.open),
        key=lambda standing: (order.index(standing.latest.subject), standing.opened_at),
    )


def undelivered(events: Iterable[Event]) -> Undelivered | None:
    """Return the latest message if it did not reach everybody; a later message stands for those before it."""
    latest = None
    for event in events:
        if event.kind is EventKind.ALERTED and event.evidence.get("message"):
            latest = event
    if latest is None or not latest.evidence.get("undelivered"):
        return None
    said = latest.evidence["message"]
    message = Alert(
        model=latest.model,
        severity=Severity(said["severity"]),
        title=said["title"],
        body=said["body"],
        id=said["id"],
        version=latest.version,
        changes=tuple(_change(item) for item in said["changes"]),
    )
    return Undelivered(message, tuple(latest.evidence["undelivered"]), latest.evidence["tries"])


def message_dict(message: Alert) -> dict[str, Any]:
    """Return a message as plain JSON values, as ``undelivered`` reads it again."""
    return {
        "id": message.id,
        "severity": message.severity.value,
        "title": message.title,
        "body": message.body,
        "changes": [change.to_dict() for change in message.changes],
    }


def _change(item: dict[str, Any]) -> Change:
    return Change(
        alert=item["alert"],
        step=Step(item["step"]),
        subject=Subject(item["subject"]),
        title=item["title"],
        version=item["version"],
        about=tuple(item["about"]),
        told=item["told"],
        revision=item["revision"],
    )
