"""Which of two outcomes of one prediction counts."""

from dataclasses import dataclass
from typing import Any

import msgspec

from vigie.domain.prediction import FeedbackStatus
from vigie.domain.schema import Label
from vigie.errors import SchemaMismatchError, Violation


@dataclass(frozen=True, slots=True)
class Outcome:
    """What somebody said a prediction turned out to be: JSON text, and microseconds since 1970 or None."""

    text: str
    observed_us: int | None

    @property
    def value(self) -> Any:
        """The outcome as JSON says it."""
        return msgspec.json.decode(self.text)


def outcome_text(label: Label, *, row: int) -> str:
    """Return an outcome as JSON text.

    Raises:
        SchemaMismatchError: it is not a finite number, a text of valid characters or a boolean.
    """
    finite = not isinstance(label, float) or -float("inf") < label < float("inf")
    try:
        if finite and isinstance(label, float | int | str):
            return msgspec.json.encode(label).decode()
    except UnicodeEncodeError:
        pass
    expected = "a finite number, a text or a boolean"
    raise SchemaMismatchError([Violation(row, "outcome", "unwritable", expected, "something else")])


def weigh(known: Outcome | None, new: Outcome) -> FeedbackStatus:
    """Decide what a new outcome does to the known one, whatever order they came in.

    The one observed last counts. No ``observed_at`` is older than any. The same value again counts once: it never
    changes the value, but moves ``observed_at`` when it was seen later. Two values for the same time, or two without a
    time, are a conflict that the first one wins.
    """
    if known is None:
        return FeedbackStatus.RECORDED
    if is_same(known.value, new.value):
        return FeedbackStatus.UNCHANGED
    if _time(new) == _time(known):
        return FeedbackStatus.CONFLICT
    return FeedbackStatus.REPLACED if is_newer(new, known) else FeedbackStatus.OUTDATED


def is_newer(new: Outcome, known: Outcome | None) -> bool:
    """Whether ``new`` was observed after ``known``, so that its times (and its value) are the ones to keep."""
    return known is None or _time(new) > _time(known)


def is_same(first: Any, second: Any) -> bool:
    """Whether two JSON values are one outcome: 1 and 1.0 are, true and 1 are not."""
    return isinstance(first, bool) == isinstance(second, bool) and bool(first == second)


def _time(outcome: Outcome) -> float:
    return float("-inf") if outcome.observed_us is None else outcome.observed_us
