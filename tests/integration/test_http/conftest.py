"""A server as clients meet it: the whole application, asked with real bytes, with a real model behind."""

import asyncio
import contextlib
import json
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from vigie.api.access import LOOPBACK_HOSTS
from vigie.api.app import create_app
from vigie.api.door import Door
from vigie.api.server import make_server
from vigie.api.service import Limits, Service
from vigie.bundle.archive import BundleContent, pack
from vigie.bundle.compiler.export import export
from vigie.bundle.trust import Trust
from vigie.domain.frame import model_frame
from vigie.domain.prediction import EPOCH, MICROSECOND, FeedbackStatus, PredictionRecord, uuid7
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.errors import StorageError
from vigie.inference.slots import Slots
from vigie.loop.golden import golden_rows
from vigie.loop.open_bundle import open_bundle

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
N = 120

PEOPLE = Schema(
    (
        Feature("age", Kind.INTEGER, range=(18, 90), limits=(0, 120)),
        Feature("income", Kind.NUMBER, nullable=True, range=(0.0, 100.0)),
        Feature("city", Kind.CATEGORY, categories=("Lyon", "Orléans", "Paris")),
        Feature("vip", Kind.BOOLEAN),
    ),
    Target("stays", Task.BINARY, ("no", "yes")),
    entity="client",
)
CHURN = Schema(
    (
        Feature("anciennete_mois", Kind.INTEGER, range=(1, 120)),
        Feature("montant_mensuel", Kind.NUMBER, range=(10.0, 200.0)),
        Feature("nb_reclamations", Kind.INTEGER, range=(0, 9)),
        Feature("nb_produits", Kind.INTEGER, range=(1, 4)),
        Feature("satisfaction", Kind.NUMBER, range=(1.0, 5.0)),
    ),
    Target("churn", Task.BINARY, ("non", "oui")),
)
SPECIES = Schema((Feature("size", Kind.NUMBER),), Target("species", Task.MULTICLASS, (1, 2, 3)))
PRICE = Schema((Feature("size", Kind.NUMBER),), Target("price", Task.REGRESSION))


class _TickingClock:
    """Time that moves a millisecond a look."""

    def __init__(self):
        self.ticks = 0

    def now(self):
        self.ticks += 1
        return NOW + timedelta(milliseconds=self.ticks)


class _CountingIds:
    """Version 7 ids, each one different."""

    def __init__(self):
        self.given = 0

    def new_id(self, at):
        self.given += 1
        return uuid7(at, self.given.to_bytes(10, "big"))

    def take(self, at_us, n):
        return [self.new_id(EPOCH + at_us * MICROSECOND).bytes for _ in range(n)]


class _ListLog:
    """A prediction log that keeps lists, and can be broken."""

    def __init__(self):
        self.records = []
        self.outcomes = {}
        self.broken = False

    def append(self, model, schema, records):  # noqa: ARG002 - the port's signature
        self.check()
        self.records += records

    def record_feedback(self, model, feedback, *, received_at):  # noqa: ARG002 - the port's signature
        self.check()
        return [self._record(item) for item in feedback]

    def _record(self, item):
        if item.prediction_id not in {record.id for record in self.records}:
            return FeedbackStatus.UNMATCHED
        known = self.outcomes.setdefault(item.prediction_id, item)
        if known is item:
            return FeedbackStatus.RECORDED
        return FeedbackStatus.UNCHANGED if known.outcome == item.outcome else FeedbackStatus.CONFLICT

    def check(self):
        if self.broken:
            raise StorageError("/secret/path/log.db", "the disk is full.", retryable=True)


class _RecordEncoder:
    """Rows that are records."""

    def __init__(self, table):
        self.table = table

    def encode(self, prediction_id, at_us, version, entity, latency_us, prediction, values):  # noqa: PLR0917  the port
        at, which = EPOCH + at_us * MICROSECOND, UUID(bytes=prediction_id)
        return (PredictionRecord(which, at, version, tuple(values), prediction, entity, None, latency_us),)


class _ListWriter:
    """The server's way into a ``_ListLog``: kept at once, or refused at the end like a disk that fills up."""

    mode = "durable"

    def __init__(self, log):
        self.log = log
        self.reserved = 0
        self.full = False
        self.replays = {}

    def depth(self):
        return self.reserved

    def last_sync_s(self):
        return None

    def reserve(self, rows):
        if self.full:
            raise StorageError("prediction log", "too much waits.", retryable=True)
        self.reserved += rows

    def release(self, rows):
        self.reserved -= rows

    def encoder(self, model, schema):
        return _RecordEncoder((model, schema))

    def submit(self, batch, replay=None):
        self.release(len(batch.rows))
        future = asyncio.get_running_loop().create_future()
        try:
            earlier = self.replays.get(replay.key) if replay else None
            if earlier is None:
                self.log.append(*batch.table, [row[0] for row in batch.rows])
                if replay:
                    self.replays[replay.key] = replay
            future.set_result(earlier)
        except StorageError as exc:
            future.set_exception(exc)
        return future

    def keep(self, batch, told):
        self.submit(batch).add_done_callback(lambda kept: told(kept.exception()))

    def replayed(self, key):
        return self.replays.get(key)

    def feedback(self, model, items, *, received_at):
        future = asyncio.get_running_loop().create_future()
        future.set_result(self.log.record_feedback(model, items, received_at=received_at))
        return future

    def check(self):
        self.log.check()


class _Server:
    """An application and what it was made with, asked synchronously."""

    def __init__(self, model, *, fast_path=True, ring=None, rate_per_s=None, hosts=LOOPBACK_HOSTS):
        self.log = _ListLog()
        self.writer = _ListWriter(self.log)
        self.slots = Slots(model)
        limits = Limits(max_body_bytes=2**20, max_rows=1000)
        self.clock = _TickingClock()
        self.door = Door(self.clock, ring=ring, rate_per_s=rate_per_s)
        service = Service(
            "people", self.slots, self.writer, self.clock, _CountingIds(), limits, self.door, hosts, fast_path,
        )  # fmt: skip
        self.app = create_app(service)

    def request(self, method, path, **arguments):
        async def ask():
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as client:
                return await client.request(method, path, **arguments)

        return asyncio.run(ask())

    def get(self, path):
        return self.request("GET", path)

    def post(self, path, body, **headers):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.request("POST", path, content=content, headers={"Content-Type": "application/json"} | headers)


def _fitted(schema, estimator, *, seed=0, version="3", compiled=True):
    """Train on random rows and take the model through a bundle, as a server gets it."""
    rng = np.random.default_rng(seed)
    columns = {}
    for feature in schema.features:
        low, high = feature.range or (0.0, 1.0)
        values = rng.uniform(low, high, N)
        if feature.kind is Kind.CATEGORY:
            columns[feature.name] = rng.choice(feature.categories, N).tolist()
        else:
            whole = feature.kind is not Kind.NUMBER
            columns[feature.name] = values.round().astype(int).tolist() if whole else values.tolist()
    numbers = [feature.name for feature in schema.features if feature.kind.is_numeric]
    words = [feature.name for feature in schema.features if not feature.kind.is_numeric]
    prepare = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), numbers),
            ("words", OneHotEncoder(handle_unknown="ignore"), words),
        ]
    )
    n_classes = len(schema.target.classes)
    y = rng.integers(0, n_classes, N) if n_classes else rng.normal(size=N)
    model = Pipeline([("prepare", prepare), ("model", estimator)]).fit(model_frame(schema, columns), y)
    golden = golden_rows(model, schema, columns)
    scorer = export(model, schema) if compiled else None
    members = pack(BundleContent("people", NOW, schema, model, b"{}", golden, [], "digest", scorer=scorer))
    return open_bundle(members, version=version, trust=Trust())


@pytest.fixture(scope="session")
def people_model():
    """Return a binary model with one feature of every kind."""
    return _fitted(PEOPLE, LogisticRegression())


@pytest.fixture(scope="session")
def people_models(people_model):
    """Return two versions that answer differently."""
    return people_model, _fitted(PEOPLE, LogisticRegression(), seed=1, version="4")


@pytest.fixture(scope="session")
def plain_model():
    """Return the people model as scikit-learn answers it."""
    return _fitted(PEOPLE, LogisticRegression(), compiled=False)


@pytest.fixture
def server(people_model):
    """Return a server of the people model, with an empty log."""
    return _Server(people_model)


@pytest.fixture
def make_server_of(people_model):
    """Return what makes servers of the people model that differ in who may reach them."""
    return lambda **access: _Server(people_model, **access)


@pytest.fixture
def still_second(monkeypatch):
    """Stop the clock that the rates are counted by: how many requests one second takes is not the machine's to say."""
    monkeypatch.setattr("vigie.api.door.monotonic", lambda: 0.0)


@pytest.fixture
def framework_server(people_model):
    """Return the same without its fast path."""
    return _Server(people_model, fast_path=False)


@pytest.fixture
def empty_server():
    """Return a server that has no model yet."""
    return _Server(None)


@pytest.fixture
def churn_server():
    """Return a server of the source chapter's model."""
    return _Server(_fitted(CHURN, LogisticRegression()))


@pytest.fixture
def species_server():
    """Return a server that answers one of three classes."""
    return _Server(_fitted(SPECIES, LogisticRegression()))


@pytest.fixture
def price_server():
    """Return a server that answers a number."""
    return _Server(_fitted(PRICE, LinearRegression()))


def _run(app, listener):
    return _run_made(make_server(app, keep_alive_s=75, drain_s=5), listener)


@contextlib.contextmanager
def _run_made(made, listener):
    thread = threading.Thread(target=made.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        while not made.started:
            time.sleep(0.01)
        yield made
    finally:
        made.should_exit = True
        thread.join(20)
    assert not thread.is_alive()


@pytest.fixture
def run_server():
    """Return what runs an application on a listener in a thread, as a context manager."""
    return _run


@pytest.fixture
def run_made():
    """Return what runs a server of uvicorn's on a listener in a thread, as a context manager."""
    return _run_made


@pytest.fixture
def running(server):
    """Return a server's port, while it runs in a thread."""
    with socket.create_server(("127.0.0.1", 0)) as listener, _run(server.app, listener):
        yield listener.getsockname()[1]


@pytest.fixture
def forest_server():
    """Return a server whose model compares in float32."""
    return _Server(_fitted(PEOPLE, RandomForestClassifier(3)))
