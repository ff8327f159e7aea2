"""A loop on fakes: real models, real bundles and real rules, with memory in the place of MLflow and SQLite."""

import json
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from vigie.alerting.life import AlertRule
from vigie.bundle.trust import Trust
from vigie.domain.model import CHAMPION
from vigie.domain.prediction import Feedback, FeedbackStatus
from vigie.inference.payload import read_rows
from vigie.loop.champion import open_version
from vigie.loop.context import Loop, Rules
from vigie.loop.cycle import turn
from vigie.loop.feedback import record_feedback
from vigie.loop.open_bundle import open_bundle
from vigie.loop.origin import Origin
from vigie.loop.predict import predict
from vigie.loop.register import register
from vigie.loop.train import train
from vigie.monitoring.technical import ServiceRule
from vigie.monitoring.thresholds import AlarmRule
from vigie.promotion.gate import GateRule
from vigie.retraining.policy import RetrainPolicy
from vigie.testing import (
    FakeClock,
    FakeIds,
    InMemoryLedger,
    InMemoryPredictionLog,
    InMemoryRegistry,
    InMemoryTracker,
    RecordingNotifier,
)
from vigie.testing.tables import churn_table
from vigie.training.dataset import DataSpec
from vigie.training.search import TrainingSpec

ORIGIN = Origin("a test's table", commit="abc123", cause="a test")

RULES = Rules(
    data=DataSpec(
        target="churn", task=None, positive="oui", entity="client_id", time=None, exclude=(), test_fraction=0.25,
        seed=3, split="auto",
    ),
    training=TrainingSpec(candidates=("logistic",), metric="", folds=2, seed=3, budget_s=None),
    alarm=AlarmRule(false_alarm_budget=0.05, psi_margin=0.02, distance_margin=0.05, min_rows=200, in_a_row=1),
    min_labelled=100,
    performance_margin=0.02,
    retraining=RetrainPolicy(cooldown=timedelta(hours=1), min_labelled=300),
    gate=GateRule(level=0.95, margin=0.0, min_rows=50),
    held_out=0.3,
    trust=Trust(),
    alerts=AlertRule(cooldown=timedelta(hours=4)),
    service=ServiceRule(),
)  # fmt: skip


def silent(_name, _done, _total):
    """Show no progress."""


class World:
    """One model's loop and the clients around it. Every step moves the clock, as time would."""

    def __init__(self, rules=RULES, model="churn"):
        self.clock = FakeClock()
        self.registry = InMemoryRegistry(self.clock)
        self.tracker = InMemoryTracker()
        self.log = InMemoryPredictionLog()
        self.ledger = InMemoryLedger(self.clock)
        self.notifier = RecordingNotifier()
        self.ids = FakeIds()
        self.loop = Loop(
            model, self.registry, self.tracker, self.log, self.ledger, {"recording": self.notifier}, self.clock, rules
        )  # fmt: skip

    def change(self, **rules):
        """Keep the stores and go on under other rules."""
        self.loop = replace(self.loop, rules=replace(self.loop.rules, **rules))

    def train(self, table, declared=None):
        """Train and record, without registering."""
        return train(self.loop, table, declared=declared, origin=ORIGIN, progress=silent)

    def register(self, trained):
        """Register what was trained."""
        registered = register(self.loop, trained, owner="test")
        self.clock.advance(60)
        return registered

    def opened(self, version=None):
        """Open a version, the champion when none is named."""
        return open_version(self.loop, version or self.champion)

    def ask(self, table, *, known=1.0):
        """Ask the champion about a table's rows; tell the outcome of the first share. Return all ids and outcomes."""
        model = open_bundle(self.registry.members(self.loop.model, self.champion), version=self.champion, trust=Trust())
        target = model.schema.target.name
        named = [*model.schema.names, *([model.schema.entity] if model.schema.entity else [])]
        rows = read_rows(table.select(named).to_pylist(), model.schema, max_rows=100_000)
        answers = predict(rows, model, self.log, self.clock, self.ids)
        told = list(zip([a.prediction_id for a in answers], table.column(target).to_pylist(), strict=True))
        self.clock.advance(60)
        self.tell(told[: round(len(told) * known)])
        return told

    def tell(self, told):
        """Tell outcomes; all must be taken."""
        items = [Feedback(prediction_id, outcome) for prediction_id, outcome in told]
        receipts = record_feedback(self.loop.model, items, self.log, self.clock)
        assert {receipt.status for receipt in receipts} <= {FeedbackStatus.RECORDED}
        self.clock.advance(60)

    def turn(self, **options):
        """Take one turn."""
        taken = turn(self.loop, origin=ORIGIN, owner="test", progress=silent, **options)
        self.clock.advance(60)
        return taken

    @property
    def champion(self):
        """Which version serves."""
        return self.registry.alias(self.loop.model, CHAMPION)

    @property
    def kinds(self):
        """What happened, in order."""
        return [event.kind.value for event in self.ledger.events(self.loop.model)]

    def last(self, kind):
        """Return the last event of a kind."""
        return self.ledger.events(self.loop.model, kinds=(kind,))[-1]


@pytest.fixture(scope="session")
def churn_trained():
    """Train once; any world may register it."""
    return World().train(churn_table(900, seed=1))


@pytest.fixture
def new_world():
    """Return what makes an empty world."""
    return World


@pytest.fixture
def world(churn_trained):
    """Return a world whose first champion serves."""
    made = World()
    made.register(churn_trained)
    return made


@pytest.fixture
def calm():
    """Return customers like those of the training."""
    return churn_table(400, seed=2)


@pytest.fixture
def changed():
    """Return customers of a changed world."""
    return churn_table(600, seed=3, drift=1.0, relation=1.0)


@pytest.fixture
def house_prices():
    """Return what makes tables with a number to predict; ``shift`` moves the inputs and the relation."""

    def make(n, seed, shift=0.0):
        rng = np.random.default_rng(seed)
        size, age = rng.normal(80 + 30 * shift, 20, n), rng.integers(0, 60, n)
        price = 3.0 * size - age + shift * (200 - 4.0 * size) + rng.normal(0, 10, n)
        return pa.table({"size": size, "age": age, "price": price})

    return make


@pytest.fixture
def species():
    """Return what makes tables with one of three classes to predict, integers on purpose."""

    def make(n, seed, shift=0.0):
        rng = np.random.default_rng(seed)
        kind = rng.integers(1, 4, n)
        length = rng.normal(kind * (1 - 2 * shift) * 2.0 + 6 * shift, 0.8, n)
        return pa.table({"length": length, "width": rng.normal(0, 1, n), "kind": kind})

    return make


@pytest.fixture
def evidence_is_json():
    """Return what checks that an event could be written down."""
    return lambda event: json.loads(json.dumps(dict(event.evidence), allow_nan=False))


@pytest.fixture
def price_world(new_world, house_prices):
    """Return a function of a candidate and a number of rows: it makes a world whose champion predicts prices."""

    def make(candidate, n):
        world = new_world(model="houses")
        rules = world.loop.rules
        world.change(
            data=replace(rules.data, target="price", positive=None, entity=None),
            training=replace(rules.training, candidates=(candidate,)),
        )
        world.register(world.train(house_prices(n, 1)))
        return world

    return make
