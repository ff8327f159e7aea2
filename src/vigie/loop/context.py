"""What one turn of the loop works with: the ports it may use and the rules it keeps to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from vigie.alerting.life import AlertRule
from vigie.bundle.signature import Signer
from vigie.bundle.trust import Trust
from vigie.evaluation.value import DecisionValue
from vigie.loop.memory import Memory
from vigie.monitoring.baseline import BaselineKind
from vigie.monitoring.technical import ServiceRule
from vigie.monitoring.thresholds import AlarmRule
from vigie.ports import Clock, Ledger, ModelRegistry, Notifier, PredictionLog, ServiceProbe, Tracker
from vigie.promotion.gate import GateRule
from vigie.retraining.policy import RetrainPolicy
from vigie.training.dataset import DataSpec
from vigie.training.search import TrainingSpec


@dataclass(frozen=True, slots=True)
class Rules:
    """What the loop decides by.

    Attributes:
        data: what the columns of the table mean.
        training: what is tried and how it is compared.
        alarm: when a window's inputs or predictions raise an alarm.
        min_labelled: outcomes needed before performance is judged.
        performance_margin: loss of performance that does not matter, see ``PerformanceRule.margin``.
        retraining: when an alarm leads to a new model.
        gate: what a challenger must show.
        held_out: share of the recent outcomes kept aside for the gate, in (0, 1).
        trust: types that models may hold beyond Vigie's own list, and whose signature a bundle needs.
        alerts: how often a person may be told.
        service: what the service must keep to.
        value: what the decisions of a binary model are worth; None where nobody says.
        baseline: what windows are compared with, see ``monitoring.baseline``.
        season: how long a season is, for the baseline of that name.
        segments: features whose every level is reported, beside the weak spots that are found.
    """

    data: DataSpec
    training: TrainingSpec
    alarm: AlarmRule
    min_labelled: int
    performance_margin: float
    retraining: RetrainPolicy
    gate: GateRule
    held_out: float
    trust: Trust
    alerts: AlertRule
    service: ServiceRule
    value: DecisionValue | None = None
    baseline: BaselineKind = "training"
    season: timedelta = timedelta(days=7)
    segments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Loop:
    """One model's loop: its registered name, the ports, the rules, and what signs, if anything does.

    ``channels`` are the ways to reach a person, by a label that may be shown.
    """

    model: str
    registry: ModelRegistry
    tracker: Tracker
    log: PredictionLog
    ledger: Ledger
    channels: Mapping[str, Notifier]
    clock: Clock
    rules: Rules
    signer: Signer | None = None
    service: ServiceProbe | None = None

    @property
    def memory(self) -> Memory:
        """The part of it that remembers."""
        return Memory(self.model, self.log, self.ledger, self.clock)
