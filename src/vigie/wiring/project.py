"""A project from Python: the loop's verbs as methods."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from vigie.adapters.tables.frames import as_table
from vigie.domain.event import Event
from vigie.domain.model import CHAMPION
from vigie.domain.window import Window
from vigie.errors import DataError
from vigie.loop.adopt import Adopted
from vigie.loop.champion import champion_version, open_version
from vigie.loop.context import Loop
from vigie.loop.cycle import Turn
from vigie.loop.given import Given
from vigie.loop.monitor import monitor, next_look, open_outcomes, open_window
from vigie.loop.promote import Move, promote
from vigie.loop.register import Registered, register
from vigie.loop.report import report
from vigie.loop.rollback import rollback
from vigie.loop.service import with_service
from vigie.loop.train import Trained
from vigie.monitoring.window_report import Report
from vigie.settings import Settings, load_settings
from vigie.wiring.alerting import asking, speaking
from vigie.wiring.load import Model, open_model
from vigie.wiring.operate import adopt_project, open_loop, origin_of, owner, read_source, train_project, training_table
from vigie.wiring.registered import fetch
from vigie.wiring.state import trust_of
from vigie.wiring.watch import one_turn

logger = logging.getLogger(__name__)


class Project:
    """A folder with a ``vigie.toml``.

    Every method opens the project's stores, does one thing and closes them again; several processes may work on one
    project.

    Args:
        folder: the folder, or its ``vigie.toml``.

    Raises:
        ConfigurationError: there is no project, or a setting is wrong.
    """

    def __init__(self, folder: str | Path = ".") -> None:
        self.settings: Settings = load_settings(Path(folder), os.environ)

    def train(self) -> tuple[Trained, Registered]:
        """Train the candidates and register the winner; what ``vigie train`` does."""
        table = training_table(self.settings)
        with self._open() as loop:
            trained = train_project(loop, self.settings, table, progress=_silent)
            registered = register(loop, trained, owner=owner())
            if self.settings.training.report:
                told = report(loop, trained, origin=origin_of(self.settings), keep=True, progress=_silent)
                if told.trouble:
                    logger.warning("%s", told.trouble)
            return trained, registered

    def register(self, model: Any, frame: Any = None, *, test: Any = None) -> Adopted:
        """Register a model that was fitted elsewhere; what ``vigie register`` does. It is never fitted again.

        Args:
            model: a fitted scikit-learn estimator or pipeline.
            frame: the rows that it was fitted on, target included; None for the project's own table.
            test: rows that it was not fitted on; None when there are none, and it is then not judged.
        """
        table = read_source(self.settings) if frame is None else _table(frame, "the frame")
        given = Given(model, table, None if test is None else _table(test, "the test frame"))
        with self._open() as loop:
            return adopt_project(
                loop, self.settings, given, "a frame" if frame is not None else self.settings.data.source
            )

    def load(self, version: str = "champion") -> Model:
        """Open a version to ask it from Python, by number or alias; see ``vigie.load``."""
        members, number = fetch(self.settings.tracking_uri, self.settings.project.name, version)
        return open_model(members, version=number, trust=trust_of(self.settings.bundle))

    def monitor(self, window: Window | None = None) -> Report:
        """Judge a window of the champion's answers and the outcomes that arrived in it, by default the open one.

        Reads only.
        """
        with self._open() as loop:
            opened = open_version(loop, champion_version(loop))
            look, judged = next_look(loop, opened.version), window or open_window(loop, opened.version)
            outcomes = judged if window else open_outcomes(loop, opened.version, judged)
            found = monitor(loop, opened, judged, look=look, outcomes=outcomes)
            return with_service(asking(loop, self.settings, os.environ), found)

    def watch_once(self) -> Turn:
        """Take one turn of the loop: monitor, alert, retrain, gate, promote; what ``vigie watch --once`` does."""
        with self._open() as loop:
            return one_turn(speaking(asking(loop, self.settings, os.environ), self.settings, os.environ), self.settings)

    def promote(self, version: str, *, reason: str) -> Event:
        """Make a version the champion."""
        with self._open() as loop:
            current = loop.registry.alias(loop.model, CHAMPION)
            return promote(loop, Move(version, expected=current, reasons=(reason,)), owner=owner())

    def rollback(self, *, reason: str) -> Event:
        """Go back one champion."""
        with self._open() as loop:
            return rollback(loop, owner=owner(), reason=reason)

    def history(self) -> list[Event]:
        """Return what the loop did, oldest first."""
        with self._open() as loop:
            return loop.ledger.events(loop.model)

    @contextmanager
    def _open(self) -> Iterator[Loop]:
        with open_loop(self.settings) as loop:
            yield loop


def _table(frame: Any, what: str) -> pa.Table:
    try:
        return as_table(frame, what)
    except TypeError as exc:
        raise DataError(
            f"{what[0].upper()}{what[1:]} is of type {type(frame).__name__}.",
            remedy="Give a pandas, Polars or Arrow table.",
        ) from exc


def _silent(_name: str, _done: int, _total: int) -> None:
    """Progress is for terminals."""
