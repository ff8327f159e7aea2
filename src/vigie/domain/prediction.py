"""One answer, the record kept of it, and the outcome that comes back later."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from vigie.domain.schema import Label, Value
from vigie.domain.window import check_utc

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def uuid7(at: datetime, random: bytes) -> UUID:
    """Return a version 7 UUID whose time is ``at`` to the millisecond.

    Args:
        at: aware time.
        random: ten random bytes, passed in so that a test can repeat itself.

    Source:
        RFC 9562, section 5.7.
    """
    if len(random) != 10:
        raise ValueError("a version 7 UUID takes ten random bytes")
    milliseconds = (check_utc(at) - EPOCH) // timedelta(milliseconds=1)  # integers: a float would round after 2038
    value = milliseconds << 80 | int.from_bytes(random, "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


class Prediction(Struct, frozen=True, gc=False):
    """What a model says of one row. A struct: a million are made where a dataclass would cost as much as the score.

    The garbage collector leaves it alone: it holds numbers and texts, so no cycle leads through it.

    Attributes:
        value: the predicted number, or the predicted class label.
        probabilities: one per class in the target's order, empty for regression.
    """

    value: Label
    probabilities: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class PredictionRecord:
    """One logged answer. ``features`` are in the schema's order; ``latency_us`` ends before the log is written."""

    id: UUID
    at: datetime
    version: str
    features: tuple[Value, ...]
    prediction: Prediction
    entity: str | None = None
    variant: str | None = None
    latency_us: int | None = None


@dataclass(frozen=True, slots=True)
class Feedback:
    """An outcome seen later. Without ``observed_at`` it counts as older than any outcome that has one."""

    prediction_id: UUID
    outcome: Label
    observed_at: datetime | None = None


class FeedbackStatus(StrEnum):
    """What became of one feedback.

    ``unmatched`` is kept until its prediction turns up; ``outdated`` changes nothing because a newer outcome is
    known; ``conflict`` changes nothing because a different outcome is known for the same time, or for no time.
    """

    RECORDED = "recorded"
    UNCHANGED = "unchanged"
    REPLACED = "replaced"
    OUTDATED = "outdated"
    UNMATCHED = "unmatched"
    CONFLICT = "conflict"
