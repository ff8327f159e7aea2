"""MLflow's store as a SQLite file: where its artifacts lie, also after somebody moved the folder it is in.

MLflow writes down where artifacts lie as absolute addresses, once and for all. Vigie puts them in the folder
``artifacts`` beside the database, so that where they are is known whenever the store is opened: a project that was
moved, copied or brought back from a backup goes on, and a copy never writes to what it was copied from.
"""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from vigie.errors import RegistryError

_SQLITE: Final = "sqlite:///"
_WAIT_S: Final = 10.0
# Every column of MLflow's that holds the address of an artifact.
_ADDRESSES: Final = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)

logger = logging.getLogger(__name__)


def sqlite_file(uri: str) -> Path | None:
    """Return the file of a SQLite store, None for a server or another database."""
    path = uri.removeprefix(_SQLITE)
    return None if path == uri else Path(path)


def artifacts_beside(database: Path) -> str:
    """Return the address of the folder where Vigie lets a SQLite store keep its artifacts."""
    return (database.absolute().parent / "artifacts").as_uri()


def moved_from(database: Path) -> list[str]:
    """Return the folders where a store looks for artifacts that lie beside it; empty when it looks in the right place.

    Args:
        database: its SQLite file. One that is missing or no store of MLflow's was not moved: MLflow says what it is.
    """
    if not database.is_file():
        return []
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=_WAIT_S)) as store:
            return _elsewhere(store, artifacts_beside(database))
    except sqlite3.Error:
        return []


def follow_move(database: Path) -> list[str]:
    """Let a store that was moved look for its artifacts where they are; return where it looked before.

    All addresses change in one transaction, or none. A store that was not moved is only read.

    Raises:
        RegistryError: the file cannot be written.
    """
    if not moved_from(database):
        return []
    now = artifacts_beside(database)
    try:
        with closing(sqlite3.connect(database, timeout=_WAIT_S, isolation_level=None)) as store:
            store.execute("BEGIN IMMEDIATE")
            before = _elsewhere(store, now)  # asked again: another process may have done it meanwhile
            for old in before:
                _rewrite(store, old, now)
            store.execute("COMMIT")
    except sqlite3.Error as exc:
        raise RegistryError(
            f"MLflow's store {database} was moved, and cannot be told so: {exc}.",
            remedy="Check that it may be written, then try again.",
        ) from exc
    for old in before:
        logger.warning("the project was moved: MLflow's store looked for artifacts in %s, and now in %s", old, now)
    return before


def damage_told(error: BaseException | None) -> str:
    """Return how SQLite says, anywhere among an error's causes, that its file is broken; an empty text if it does not.

    Args:
        error: as MLflow or SQLAlchemy raised it.
    """
    found = _said_by_sqlite(error, {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT})
    return f"damaged or no database ({found})" if found else ""


def full_told(error: BaseException | None) -> str:
    """Return how SQLite says, anywhere among an error's causes, that the disk took no more; else an empty text."""
    found = _said_by_sqlite(error, {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL})
    return f"not written by the disk ({found})" if found else ""


def _said_by_sqlite(error: BaseException | None, codes: set[int]) -> BaseException | None:
    while error is not None:
        # An extended code holds the plain one in its lowest byte.
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in codes:
            return error
        error = error.__cause__ or error.__context__
    return None


def _elsewhere(store: sqlite3.Connection, now: str) -> list[str]:
    """Return experiments' folders that are not here, while something that was stored in them is.

    An experiment that somebody gave a folder of its own keeps it: nothing of it lies beside the database.
    """
    asked = "SELECT DISTINCT artifact_location FROM experiments WHERE artifact_location LIKE 'file:%/artifacts'"
    return [
        old for (old,) in store.execute(asked).fetchall() if not _same(old, now) and _holds(now, _stored(store, old))
    ]


def _stored(store: sqlite3.Connection, folder: str) -> Iterator[str]:
    """Yield the addresses below a folder, relative to it: those of models first, for runs may have no files."""
    for table, column in reversed(_ADDRESSES):
        below = f"SELECT substr({column}, ?) FROM {table} WHERE substr({column}, 1, ?) = ?"  # noqa: S608  our own names
        yield from (tail for (tail,) in store.execute(below, (len(folder) + 2, len(folder) + 1, f"{folder}/")))


def _holds(folder: str, tails: Iterator[str]) -> bool:
    return any(_path(f"{folder}/{tail}").exists() for tail in tails)


def _rewrite(store: sqlite3.Connection, old: str, now: str) -> None:
    for table, column in _ADDRESSES:
        store.execute(
            f"UPDATE {table} SET {column} = ? || substr({column}, ?) "  # noqa: S608  our own names
            f"WHERE {column} = ? OR substr({column}, 1, ?) = ?",
            (now, len(old) + 1, old, len(old) + 1, f"{old}/"),
        )


def _same(one: str, other: str) -> bool:
    """Whether two addresses lead to one folder, by a link or a mount: then nothing was moved."""
    here, there = _path(one), _path(other)
    return here.exists() and there.exists() and here.samefile(there)


def _path(address: str) -> Path:
    return Path(unquote(urlsplit(address).path))
