"""The retrain policy: an alarm asks, a cool-down and the number of outcomes decide."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class RetrainPolicy:
    """When to retrain.

    Attributes:
        cooldown: least time between two retrainings.
        min_labelled: outcomes needed to learn from and to judge by.
    """

    cooldown: timedelta
    min_labelled: int


@dataclass(frozen=True, slots=True)
class RetrainDecision:
    """Whether to retrain now, and why; ``asked`` tells a refusal from a calm window."""

    retrain: bool
    asked: bool
    reasons: tuple[str, ...]


def decide(
    triggers: Sequence[str],
    policy: RetrainPolicy,
    *,
    n_labelled: int,
    last_retrained_at: datetime | None,
    now: datetime,
) -> RetrainDecision:
    """Decide on a retraining.

    Args:
        triggers: sentences that ask for one.
        policy: the rule.
        n_labelled: outcomes known for the window that raised the alarm.
        last_retrained_at: when the last retraining was decided, aware UTC.
        now: the present, aware UTC.
    """
    if not triggers:
        return RetrainDecision(retrain=False, asked=False, reasons=("Nothing asks for a retraining.",))
    # Away from it in either direction: a clock that ran years ahead must not make the cool-down last as long.
    if last_retrained_at is not None and (passed := abs(now - last_retrained_at)) < policy.cooldown:
        left = timedelta(seconds=math.ceil((policy.cooldown - passed).total_seconds()))
        reason = (
            f"Cooling down: the last retraining was decided at {last_retrained_at:%Y-%m-%d %H:%M:%S} UTC, {left} left."
        )
        return RetrainDecision(retrain=False, asked=True, reasons=(*triggers, reason))
    if n_labelled < policy.min_labelled:
        reason = f"Too few outcomes to learn from: {n_labelled:,} of {policy.min_labelled:,}."
        return RetrainDecision(retrain=False, asked=True, reasons=(*triggers, reason))
    return RetrainDecision(
        retrain=True,
        asked=True,
        reasons=(*triggers, f"{n_labelled:,} outcomes are known since the alarm's window began."),
    )
