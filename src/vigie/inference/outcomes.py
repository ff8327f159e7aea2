"""From parsed JSON to feedback: which prediction, what came true, and when it was seen."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from vigie.domain.prediction import Feedback
from vigie.domain.schema import LARGEST_OUTCOME, Label, Target
from vigie.errors import SchemaMismatchError, Violation
from vigie.inference.payload import MAX_NAME, MAX_VIOLATIONS, check_items
from vigie.inference.values import Fault, check_number, describe

FIELDS = ("prediction_id", "outcome", "observed_at")

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
"""No outcome of a prediction was seen before."""

SKEW = timedelta(days=1)
"""How far a sender's clock may be ahead of ours."""

MAX_SHOWN_CLASSES = 10

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class FeedbackItems:
    """Feedback in the order of the body; ``single`` when the body was one object."""

    items: Sequence[Feedback]
    single: bool


def read_feedback(payload: Any, target: Target, *, max_items: int, now: datetime) -> FeedbackItems:
    """Return the feedback of a request, all of it or none.

    Args:
        payload: parsed JSON; an object is one outcome, an array of objects several.
        target: what the model predicts, hence what an outcome can be.
        max_items: the longest array that is read.
        now: an outcome cannot have been seen after it.

    Raises:
        SchemaMismatchError: with every fault of every item, up to ``MAX_VIOLATIONS``.
    """
    single = isinstance(payload, dict)
    raw_items = [payload] if single else check_items(payload, max_items=max_items, what="outcome")
    items: list[Feedback] = []
    violations: list[Violation] = []
    for row, raw in enumerate(raw_items):
        found = _read_item(raw, target, now)
        if isinstance(found, Feedback):
            items.append(found)
        else:
            violations += [Violation(row, name, fault.code, fault.expected, fault.found) for name, fault in found]
        if len(violations) >= MAX_VIOLATIONS:
            break
    if violations:
        raise SchemaMismatchError(violations[:MAX_VIOLATIONS])
    return FeedbackItems(items, single)


def _read_item(raw: Any, target: Target, now: datetime) -> Feedback | list[tuple[str, Fault]]:
    if not isinstance(raw, dict):
        return [("", Fault("wrong-type", "an object with prediction_id and outcome", describe(raw)))]
    nothing = "nothing"
    faults = [(name, Fault("missing", "a value", nothing)) for name in ("prediction_id", "outcome") if name not in raw]
    unknown = [name for name in raw if name not in FIELDS][:MAX_VIOLATIONS]
    faults += [
        (str(name)[:MAX_NAME], Fault("unknown-field", f"only {', '.join(FIELDS)}", "another name")) for name in unknown
    ]
    if faults:
        return faults
    prediction_id = _read_id(raw["prediction_id"])
    outcome = read_outcome(raw["outcome"], target)
    observed_at = _read_time(raw.get("observed_at"), now)
    for name, value in zip(FIELDS, (prediction_id, outcome, observed_at), strict=True):
        if isinstance(value, Fault):
            faults.append((name, value))
    if isinstance(prediction_id, Fault) or isinstance(outcome, Fault) or isinstance(observed_at, Fault):
        return faults
    return Feedback(prediction_id, outcome, observed_at)


def _read_id(raw: Any) -> UUID | Fault:
    if not isinstance(raw, str) or not _UUID.fullmatch(raw):
        return Fault("invalid-id", "the prediction_id that an answer of /predict carried", describe(raw))
    return UUID(raw)


def read_outcome(raw: Any, target: Target) -> Label | Fault:
    """Return what came true: a number that errors can be measured in, or the class as the target spells it."""
    if not target.task.is_classification:
        number = check_number(raw)
        if isinstance(number, Fault):
            return Fault("invalid-label", number.expected, number.found)
        if abs(number) > LARGEST_OUTCOME:
            return Fault("invalid-label", f"a number of at most {LARGEST_OUTCOME:g} in size", "a larger one")
        return number
    for label in target.classes:
        # 1 and true are equal in Python, and so are 1 and 1.0; only the latter are the same in JSON.
        if isinstance(label, bool) == isinstance(raw, bool) and label == raw:
            return label
    shown = ", ".join(repr(label) for label in target.classes[:MAX_SHOWN_CLASSES])
    more = ", …" if len(target.classes) > MAX_SHOWN_CLASSES else ""
    return Fault("invalid-label", f"one of the classes {shown}{more}", describe(raw))


def _read_time(raw: Any, now: datetime) -> datetime | Fault | None:
    if raw is None:
        return None
    expected = "a date and time with its zone, as in 2026-03-01T12:00:00Z"
    if not isinstance(raw, str) or not _RFC3339.fullmatch(raw):
        return Fault("invalid-date", expected, describe(raw))
    try:
        moment = datetime.fromisoformat(raw.upper().replace(" ", "T")).astimezone(UTC)
    except (ValueError, OverflowError):
        return Fault("invalid-date", expected, "a day or an hour that does not exist")
    if not EARLIEST <= moment <= now + SKEW:
        return Fault("invalid-date", "a time between 1970 and now", "a time outside")
    return moment
