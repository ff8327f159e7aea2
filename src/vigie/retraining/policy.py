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


@dataclass(frozen=True, slots=True)
class Earlier:
    """The retrainings that were decided on before, each by the time of the decision, aware UTC.

    Attributes:
        ended_at: the last that was tried to its end, None for none.
        broken_off_at: those since then that have no end, oldest first, as when a process is killed.
    """

    ended_at: datetime | None = None
    broken_off_at: tuple[datetime, ...] = ()

    @property
    def counted_at(self) -> datetime | None:
        """The last that begins a cool-down: a first that was killed begins none, for a machine may be rebooted.

        A second one in a row does. What kills its process each time, for want of memory perhaps, must not be tried
        again at every alarm.
        """
        return self.broken_off_at[-1] if len(self.broken_off_at) > 1 else self.ended_at


def decide(
    triggers: Sequence[str],
    policy: RetrainPolicy,
    *,
    n_labelled: int,
    earlier: Earlier,
    now: datetime,
) -> RetrainDecision:
    """Decide on a retraining.

    Args:
        triggers: sentences that ask for one.
        policy: the rule.
        n_labelled: outcomes known for the window that raised the alarm.
        earlier: the retrainings before.
        now: the present, aware UTC.
    """
    if not triggers:
        return RetrainDecision(retrain=False, asked=False, reasons=("Nothing asks for a retraining.",))
    last = earlier.counted_at
    # Away from it in either direction: a clock that ran years ahead must not make the cool-down last as long.
    if last is not None and (passed := abs(now - last)) < policy.cooldown:
        left = timedelta(seconds=math.ceil((policy.cooldown - passed).total_seconds()))
        reason = f"Cooling down: the last retraining was decided at {last:%Y-%m-%d %H:%M:%S} UTC, {left} left."
        return RetrainDecision(retrain=False, asked=True, reasons=(*triggers, *_broken_off(earlier), reason))
    if n_labelled < policy.min_labelled:
        reason = f"Too few outcomes to learn from: {n_labelled:,} of {policy.min_labelled:,}."
        return RetrainDecision(retrain=False, asked=True, reasons=(*triggers, reason))
    reason = f"{n_labelled:,} outcomes are known since the alarm's window began."
    return RetrainDecision(retrain=True, asked=True, reasons=(*triggers, *_broken_off(earlier), reason))


def _broken_off(earlier: Earlier) -> tuple[str, ...]:
    """Say which retrainings have no end, and what follows."""
    times = earlier.broken_off_at
    if not times:
        return ()
    last = f"decided at {times[-1]:%Y-%m-%d %H:%M:%S} UTC"
    if len(times) == 1:
        return (f"The retraining {last} never came to its end, as when a process is killed: no cool-down follows it.",)
    return (f"{len(times):,} retrainings in a row, the last {last}, never came to their end: look at memory.",)
