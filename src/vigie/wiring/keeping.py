"""Copying, expiring and erasing what the log remembers: one of them at a time, and without MLflow."""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from vigie.adapters.clock import SystemClock
from vigie.adapters.exports import ParquetExports
from vigie.adapters.sqlite.moments import EPOCH
from vigie.domain.window import Window
from vigie.loop.erase import Copies, Traces, erase, traces
from vigie.loop.expire import expire, horizon
from vigie.loop.export import Days, Exported, Progress, export, export_folders
from vigie.loop.memory import Memory
from vigie.ports import Expired
from vigie.settings import Settings
from vigie.wiring.alone import KEEPING, alone
from vigie.wiring.stores import open_ledger, open_log


@contextmanager
def open_memory(settings: Settings) -> Iterator[Memory]:
    """Open the log and the ledger of a project; both are closed at the end, whatever happens."""
    with ExitStack() as stack:
        log, ledger = open_log(settings), open_ledger(settings)
        stack.callback(log.close)
        stack.callback(ledger.close)
        yield Memory(settings.project.name, log, ledger, SystemClock())


def export_project(settings: Settings, out: Path | None, days: Days, progress: Progress) -> tuple[Path, Exported]:
    """Bring a folder of copies in step with the log; return it with what was done."""
    folder = (out or settings.root / "exports").absolute()
    with open_memory(settings) as memory, alone(settings, KEEPING):
        return folder, export(memory, ParquetExports(folder), str(folder), days, progress)


def count_expired(settings: Settings, keep: timedelta) -> tuple[datetime, int]:
    """Return the midnight before which everything is older than ``keep``, and how many predictions that is."""
    with open_memory(settings) as memory:
        before = horizon(memory.clock.now(), keep)
        return before, memory.log.count(memory.model, Window(min(EPOCH, before), before))


def expire_project(settings: Settings, keep: timedelta) -> Expired:
    """Delete what is older than ``keep``."""
    with open_memory(settings) as memory, alone(settings, KEEPING):
        return expire(memory, keep)


def find_in_project(settings: Settings, entity: str, also: tuple[Path, ...]) -> Traces:
    """Return what there is of an entity, and change nothing."""
    with open_memory(settings) as memory:
        return traces(memory, _copies(memory, also), entity)


def erase_from_project(settings: Settings, entity: str, also: tuple[Path, ...]) -> Traces:
    """Erase an entity from the log and from every copy that is known; return what there was."""
    with open_memory(settings) as memory, alone(settings, KEEPING):
        return erase(memory, _copies(memory, also), entity, secrets.token_bytes(16))


def _copies(memory: Memory, also: tuple[Path, ...]) -> Copies:
    known = [Path(folder) for folder in export_folders(memory)] + [folder.absolute() for folder in also]
    return Copies({str(folder): ParquetExports(folder) if folder.is_dir() else None for folder in known})
