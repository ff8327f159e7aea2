"""Keep what came true."""

from collections.abc import Sequence
from dataclasses import dataclass

from vigie.domain.prediction import Feedback, FeedbackStatus
from vigie.ports import Clock, PredictionLog


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one feedback."""

    feedback: Feedback
    status: FeedbackStatus

    @property
    def matched(self) -> bool:
        """Whether the prediction is in the log."""
        return self.status is not FeedbackStatus.UNMATCHED


def record_feedback(model: str, items: Sequence[Feedback], log: PredictionLog, clock: Clock) -> list[Receipt]:
    """Keep outcomes and return one receipt per item, in order. A conflict changes nothing and stops no other.

    Args:
        model: the registered model's name.
        items: outcomes, in the order they are to be taken.
        log: where predictions and outcomes live.
        clock: says when they were received.

    Raises:
        StorageError: the log did not keep them.
    """
    statuses = log.record_feedback(model, items, received_at=clock.now())
    return [Receipt(item, status) for item, status in zip(items, statuses, strict=True)]
