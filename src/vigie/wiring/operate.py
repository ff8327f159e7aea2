"""The composition root of training, watching and deciding: a loop with its stores open."""

import getpass
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from functools import cache
from pathlib import Path

import pyarrow as pa

from vigie.adapters.clock import SystemClock
from vigie.adapters.git import current_commit
from vigie.adapters.notifiers.log import LogNotifier
from vigie.adapters.schema_file import FILE_NAME, read_schema, write_schema
from vigie.adapters.sparing_registry import LateTracker, SparingRegistry
from vigie.adapters.tables import read_table
from vigie.alerting.life import AlertRule
from vigie.errors import StorageError
from vigie.evaluation.value import DecisionValue
from vigie.loop.adopt import Adopted, adopt
from vigie.loop.context import Loop, Rules
from vigie.loop.given import Given
from vigie.loop.origin import Origin
from vigie.loop.train import Trained, train
from vigie.monitoring.technical import ServiceRule
from vigie.monitoring.thresholds import AlarmRule
from vigie.ports import ModelRegistry, Tracker
from vigie.promotion.gate import GateRule
from vigie.retraining.policy import RetrainPolicy
from vigie.settings import Settings
from vigie.training.dataset import DataSpec, check_table
from vigie.training.progress import Progress
from vigie.training.search import TrainingSpec
from vigie.wiring.state import open_cache, trust_of
from vigie.wiring.stores import open_ledger, open_log, signer_of

logger = logging.getLogger(__name__)


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
    from vigie.wiring.tracked import open_tracked  # noqa: PLC0415  whoever only looks needs no MLflow

    with _opened(settings, *open_tracked(settings)) as loop:
        yield loop


@contextmanager
def open_look(settings: Settings) -> Iterator[Loop]:
    """Open the same stores for somebody who only looks: MLflow is imported when something cannot be told without it.

    Where the embedded store names the champion and the server's cache holds its bundle, nothing needs it. Bundles must
    come from the registry where signatures are required: they may have been signed since.

    Raises:
        StorageError: the prediction log or the ledger cannot be opened.
        ConfigurationError: the signing key cannot be read.
    """

    @cache
    def both() -> tuple[ModelRegistry, Tracker]:
        from vigie.wiring.tracked import open_tracked  # noqa: PLC0415  idem

        return open_tracked(settings)

    bundles = None if settings.bundle.require_signature else open_cache(settings)
    registry = SparingRegistry(settings.tracking_uri, bundles, lambda: both()[0])
    with _opened(settings, registry, LateTracker(lambda: both()[1])) as loop:
        yield loop


@contextmanager
def _opened(settings: Settings, registry: ModelRegistry, tracker: Tracker) -> Iterator[Loop]:
    with ExitStack() as stack:
        log, ledger = open_log(settings), open_ledger(settings)
        stack.callback(log.close)
        stack.callback(ledger.close)
        yield Loop(
            model=settings.project.name,
            registry=registry,
            tracker=tracker,
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
    try:
        write_schema(path, trained.dataset.schema)
    except StorageError as error:
        # The promise kept here: a training is not lost because its folder, in a container, say, can only be read.
        logger.warning("%s The training goes on: the bundle has the schema, too.", error)
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
