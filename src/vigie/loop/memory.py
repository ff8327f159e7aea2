"""What remembering and forgetting work with: less than the whole loop, so that neither needs a registry or training."""

from dataclasses import dataclass

from vigie.ports import Clock, Ledger, PredictionLog


@dataclass(frozen=True, slots=True)
class Memory:
    """A model's log and ledger, and the time."""

    model: str
    log: PredictionLog
    ledger: Ledger
    clock: Clock
