"""The watcher: turns of the loop, on an interval, until it is told to end."""

import logging
import os
import signal
import threading
from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from vigie.adapters.git import current_commit
from vigie.adapters.verdict_file import write_verdicts
from vigie.alerting.memory import open_alerts
from vigie.domain.event import EventKind
from vigie.errors import VigieError
from vigie.loop.context import Loop
from vigie.loop.cycle import Turn, turn
from vigie.loop.expire import expire
from vigie.loop.origin import Origin
from vigie.loop.report import report
from vigie.monitoring.window_report import Report
from vigie.settings import Settings
from vigie.training.progress import Progress
from vigie.wiring.alerting import asking, speaking
from vigie.wiring.alone import KEEPING, WATCHING, alone
from vigie.wiring.operate import open_loop, owner
from vigie.wiring.verdicts import VERDICTS

_AGAIN = timedelta(minutes=1)
"""After a turn that failed: a registry or a disk that was away may be back."""

logger = logging.getLogger("vigie.watch")


def watch(settings: Settings, *, pause: timedelta | None) -> Iterator[Turn]:
    """Yield turns: one when ``pause`` is None, else one now and one after each pause until SIGTERM or SIGINT.

    Raises:
        VigieError: the one turn asked for failed. On an interval a failed turn is logged and the next one is taken.
    """
    with open_loop(settings) as opened:
        loop = speaking(asking(opened, settings, os.environ), settings, os.environ)
        if pause is None:
            yield one_turn(loop, settings)
            _expire(loop, settings)
            return
        yield from turns(loop, settings, pause=pause, stopped=_stop_on_signal())


def turns(loop: Loop, settings: Settings, *, pause: timedelta, stopped: threading.Event) -> Iterator[Turn]:
    """Yield turns, one now and one after each pause, until ``stopped``; one that fails is logged instead."""
    while True:
        wait = pause
        try:
            yield one_turn(loop, settings)
        except Exception as error:  # noqa: BLE001 - the promise: one failed turn does not end the watch
            wait = min(pause, _AGAIN)  # and costs no hour of it
            _log_failure(error, "this turn failed, the next one is tried in %s: %s", wait)
        try:
            _expire(loop, settings)
        except Exception as error:  # noqa: BLE001 - the same promise; what is left goes with the next turn
            _log_failure(error, "what is older than stores.keep could not be deleted: %s")
        if stopped.wait(wait.total_seconds()):
            return


def _log_failure(error: Exception, message: str, *values: object) -> None:
    """Log what failed; a fault that nobody foresaw with its traceback, for it is to be reported."""
    if isinstance(error, VigieError):
        logger.error(message, *values, error)
    else:
        logger.error(message, *values, f"{type(error).__name__}: {error}", exc_info=error)


def one_turn(loop: Loop, settings: Settings, progress: Progress | None = None) -> Turn:
    """Take one turn; a retraining's report, where it is wanted, comes after everything that production waits for.

    Raises:
        StorageError: another watcher of the project takes a turn, or a store failed.
        VigieError: what ``loop.cycle.turn`` raises.
    """
    origin = Origin("prediction log", current_commit(settings.folder), "vigie watch")
    progress = progress or (lambda _name, _done, _total: None)
    with alone(settings, WATCHING):
        taken = turn(
            loop, origin=origin, owner=owner(), progress=progress, show=partial(_show_verdicts, loop, settings)
        )
    for error in taken.misnamed:
        logger.error("%s", error)
    if taken.challenge and settings.retraining.report:
        told = report(loop, taken.challenge.trained, origin=origin, keep=True, progress=progress)
        if told.trouble:
            logger.warning("%s", told.trouble)
    return taken


def _show_verdicts(loop: Loop, settings: Settings, judged: Report) -> None:
    standing = open_alerts(loop.ledger.events(loop.model, kinds=(EventKind.ALERTED,)))
    try:
        write_verdicts(settings.root / VERDICTS, judged, standing)
    except OSError as error:
        # The promise kept here: what Prometheus does not see, the ledger has all the same.
        logger.error("the verdicts could not be written for Prometheus: %s", error.strerror)  # noqa: TRY400


def _expire(loop: Loop, settings: Settings) -> None:
    """Let go what is older than the settings keep; an export or an erasure at work goes first."""
    if settings.stores.keep is None:
        return
    with alone(settings, KEEPING):
        gone = expire(loop.memory, settings.stores.keep)
    if gone.predictions or gone.orphans:
        logger.info("%d predictions, older than stores.keep, were deleted", gone.predictions)


def _stop_on_signal() -> threading.Event:
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopped.set())
    return stopped
