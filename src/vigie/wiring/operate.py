"""The composition root of training, watching and deciding: a loop with its stores open."""

import getpass
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa

from vigie.adapters.clock import SystemClock
from vigie.adapters.git import current_commit
from vigie.adapters.mlflow_registry import MlflowRegistry
from vigie.adapters.mlflow_store import artifacts_beside, sqlite_file
from vigie.adapters.mlflow_tracking import MlflowTracker, open_client
from vigie.adapters.notifiers.log import LogNotifier
from vigie.adapters.schema_file import FILE_NAME, read_schema, write_schema
from vigie.adapters.tables import read_table
from vigie.alerting.life import AlertRule
from vigie.evaluation.value import DecisionValue
from vigie.loop.adopt import Adopted, adopt
from vigie.loop.context import Loop, Rules
from vigie.loop.given import Given
from vigie.loop.origin import Origin
from vigie.loop.train import Trained, train
from vigie.monitoring.technical import ServiceRule
from vigie.monitoring.thresholds import AlarmRule
from vigie.promotion.gate import GateRule
from vigie.retraining.policy import RetrainPolicy
from vigie.settings import Settings
from vigie.training.dataset import DataSpec, check_table
from vigie.training.search import Progress, TrainingSpec
from vigie.wiring.state import state_folder, trust_of
from vigie.wiring.stores import open_ledger, open_log, signer_of


def rules_of(settings: Settings) -> Rules:
    """Return what the settings say to decide by."""
    data, training, monitoring = settings.data, settings.training, settings.monitoring
    return Rules(
        data=DataSpec(
            target=data.target,
            task=settings.project.task,
            positive=data.positive,
            entity=data.entity,
            time=data.time,
            exclude=data.exclude,
            test_fraction=data.test_fraction,
            seed=data.seed,
            split=data.split,
        ),
        training=TrainingSpec(
            candidates=training.candidates,
            metric=training.metric or "",
            folds=training.folds,
            seed=data.seed,
            budget_s=training.budget.total_seconds() if training.budget else None,
            repeats=training.repeats,
        ),
        alarm=AlarmRule(
            false_alarm_budget=monitoring.false_alarm_budget,
            psi_margin=monitoring.psi_margin,
            distance_margin=monitoring.distance_margin,
            min_rows=monitoring.min_rows,
            strict=monitoring.strict,
            calendar=monitoring.calendar,
            in_a_row=monitoring.in_a_row,
        ),
        min_labelled=monitoring.min_labelled,
        performance_margin=monitoring.performance_margin,
        retraining=RetrainPolicy(settings.retraining.cooldown, settings.retraining.min_labelled),
        gate=GateRule(settings.gate.level, settings.gate.margin, settings.gate.min_rows),
        held_out=settings.retraining.held_out,
        trust=trust_of(settings.bundle),
        value=DecisionValue(**asdict(settings.value)) if settings.value else None,
        alerts=AlertRule(settings.alerting.cooldown),
        service=ServiceRule(monitoring.max_error_rate, monitoring.max_latency_p99_ms),
        baseline=monitoring.baseline,
        season=monitoring.season,
        segments=monitoring.segments,
    )


@contextmanager
def open_loop(settings: Settings) -> Iterator[Loop]:
    """Open every store of a project; all are closed at the end, whatever happens.

    It tells its log alone and asks no server: who watches adds ``wiring.alerting.speaking`` and ``asking``, and only
    that needs the secrets of channels in the environment.

    Raises:
        RegistryError: MLflow's store cannot be opened.
        StorageError: the prediction log or the ledger cannot be opened.
        ConfigurationError: the signing key cannot be read.
    """
    state_folder(settings)
    client = open_client(settings.tracking_uri)
    # A SQLite file has its artifacts beside it, wherever a command is run from; a server knows by itself.
    database = sqlite_file(settings.tracking_uri)
    artifacts = artifacts_beside(database) if database else None
    with ExitStack() as stack:
        log, ledger = open_log(settings), open_ledger(settings)
        stack.callback(log.close)
        stack.callback(ledger.close)
        yield Loop(
            model=settings.project.name,
            registry=MlflowRegistry(client),
            tracker=MlflowTracker(client, artifacts=artifacts, under=os.environ.get("MLFLOW_RUN_ID")),
            log=log,
            ledger=ledger,
            channels={"log": LogNotifier()},
            clock=SystemClock(),
            rules=rules_of(settings),
            signer=signer_of(settings),
        )


def read_source(settings: Settings, source: str | None = None) -> pa.Table:
    """Read the project's table, or another one in its place.

    A source of one's own is looked for here first, as a shell completes it, then in the project's folder; the
    project's query goes with databases only.
    """
    if source is None:
        return read_table(settings.data.source, query=settings.data.query, base=settings.folder)
    base = Path.cwd() if Path(source).exists() else settings.folder
    return read_table(source, query=settings.data.query if "://" in source else None, base=base)


def origin_of(settings: Settings) -> Origin:
    """Return where a training of the project's own table comes from."""
    return Origin(settings.data.source, current_commit(settings.folder))


def training_table(settings: Settings) -> pa.Table:
    """Read the project's table; a column that ``vigie.toml`` names wrongly is told here, before a store is opened.

    Raises:
        DataError: the source cannot be read, or the table lacks a named column or rows.
    """
    table = read_source(settings)
    check_table(table, rules_of(settings).data)
    return table


def train_project(loop: Loop, settings: Settings, table: pa.Table, *, progress: Progress) -> Trained:
    """Train on the project's table, keeping to its ``schema.toml`` and writing it anew."""
    path = settings.folder / FILE_NAME
    origin = origin_of(settings)
    trained = train(loop, table, declared=read_schema(path), origin=origin, progress=progress)
    write_schema(path, trained.dataset.schema)
    return trained


def adopt_project(loop: Loop, settings: Settings, given: Given, source: str) -> Adopted:
    """Register a fitted model under the project's settings and its ``schema.toml``, which stays as it is."""
    declared = read_schema(settings.folder / FILE_NAME)
    origin = Origin(source, current_commit(settings.folder), cause="vigie register")
    return adopt(loop, given, declared=declared, origin=origin, owner=owner())


def owner() -> str:
    """Return who this process is, for leases and for people: user, machine, process."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number that has no name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}:{os.getpid()}"
