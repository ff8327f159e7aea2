"""One SQLite file: opened with care, written by one at a time, and silent about nothing that goes wrong."""

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from vigie.adapters.sqlite.filesystem import network_filesystem, read_mounts
from vigie.adapters.sqlite.statements import Migration
from vigie.adapters.sqlite.turn import Turn
from vigie.errors import StorageError

_BUSY_TIMEOUT_S: Final = 10.0
CHECKPOINT_BYTES: Final = 16_000_000  # of the WAL, about
_PAGE: Final = 2048  # bytes, of new files: a commit writes whole pages, and half of SQLite's own size is a third less
_PAGES_PER_COMMIT: Final = 4  # the leaves that any commit touches, and the first page
_BYTES_PER_ROW: Final = 256
_SYNCHRONOUS: Final = {True: 2, False: 1}  # FULL syncs the WAL at every commit, NORMAL only at checkpoints


class OccupiedError(Exception):
    """Somebody else writes, and the caller did not want to wait."""


class SqliteFile:
    """A SQLite database in WAL mode with one writer connection per process.

    Threads queue at a lock, processes at a ``flock`` on a file beside the database (see ``Turn``). Everything that
    writes or checkpoints holds both, which also keeps two connections from the WAL-reset fault of SQLite before 3.51.3.
    Reads open a read-only connection each and wait for nobody.

    A commit that the disk failed (``SQLITE_IOERR``) may be half on it, and SQLite would acknowledge the next one as if
    nothing had been: this class refuses every later write until the file is opened anew. The same goes for a
    checkpoint: SQLite's automatic ones hide their errors, and the pages that an earlier, partial one wrote are not
    written again after a failed sync. So checkpoints are made here, in sight.
    """

    def __init__(
        self, path: Path, *, store: str, application_id: int, migrations: Sequence[Migration], durable: bool
    ) -> None:
        """Open or create the file.

        Args:
            path: where; folders are made.
            store: what errors call it.
            application_id: 32-bit mark in the file's header that says whose database it is.
            migrations: every step of its structure, in order.
            durable: whether a commit survives a power cut, not only a crash.

        Raises:
            StorageError: a network file system, not our database, a newer one, a damaged one, no permission.
        """
        self.path = path.resolve()
        self._name = str(self.path)
        self._store = store
        self._application_id = application_id
        self._durable = durable
        self._lock = threading.Lock()
        self._refusal = ""
        self._wal_bytes = 0  # since the latest checkpoint, estimated from rows
        self._is_patient = True  # whether the writer waits for a lock that another program holds
        network = network_filesystem(self.path, read_mounts())
        if network:
            problem = f"{self.path} lies on {network}, where SQLite cannot keep its promise."
            raise self._error(problem, "Put it on a local disk.")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._turn = Turn(self.path.with_name(f"{self.path.name}.lock"))
        except OSError as exc:
            raise self._error(f"{self.path} cannot be opened: {exc.strerror}.") from exc
        try:
            with self._my_turn():
                self._writer = self._open(migrations)
                self._page_bytes = _number(self._writer, "PRAGMA page_size")
                if durable:
                    self._sync_folders()
                self._inode = self._identity()
        except BaseException:
            self._turn.close()
            raise

    @property
    def is_stopped(self) -> bool:
        """Whether nothing will be written until the file is opened anew."""
        return bool(self._refusal)

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Run the block as one transaction; when it returns, the transaction is committed.

        Raises:
            StorageError: nothing of the block was kept.
        """
        with self.commit() as connection:
            yield connection
        if self.needs_checkpoint:
            with suppress(StorageError):  # the block is kept; a failed disk is told to the next one
                self.checkpoint()

    @contextmanager
    def commit(self, *, patient: bool = True, is_one_statement: bool = False) -> Iterator[sqlite3.Connection]:
        """Run the block as one transaction, as ``write`` does, and leave the checkpoint to the caller.

        Args:
            patient: whether to wait for others that write.
            is_one_statement: whether the block executes exactly one: SQLite makes a transaction of it by itself, in two
                thirds of the time.

        Raises:
            OccupiedError: others write, and one was not to wait; nothing of the block was kept.
            StorageError: nothing of the block was kept.
        """
        if not self._lock.acquire(blocking=patient):
            raise OccupiedError
        try:
            self._refuse_if_unusable()
            self._take_turn(patient=patient)
            try:
                self._set_patience(patient=patient)
                if not is_one_statement:
                    self._writer.execute("BEGIN IMMEDIATE")
                before = self._writer.total_changes
                yield self._writer
                if not is_one_statement:
                    self._writer.execute("COMMIT")
            except sqlite3.Error as exc:
                self._roll_back()
                if not patient and _primary_code(exc) == sqlite3.SQLITE_BUSY:
                    raise OccupiedError from exc
                raise self._failed(exc) from exc
            except BaseException:
                self._roll_back()
                raise
            finally:
                self._turn.give_back()
            n_rows = self._writer.total_changes - before
            self._wal_bytes += _PAGES_PER_COMMIT * self._page_bytes + n_rows * _BYTES_PER_ROW
        finally:
            self._lock.release()

    @property
    def needs_checkpoint(self) -> bool:
        """Whether so much has gathered in the WAL that it should be brought into the database."""
        return self._wal_bytes >= CHECKPOINT_BYTES

    def checkpoint(self, *, at_least: int = 0) -> None:
        """Bring the WAL into the database when about so many bytes or more have gathered; waits for no reader.

        Raises:
            StorageError: the disk failed; nothing is written from now on.
        """
        if not self._wal_bytes or self._wal_bytes < at_least:
            return
        self._exclusively("PRAGMA wal_checkpoint(PASSIVE)")

    def empty_wal(self) -> bool:
        """Bring the whole WAL into the database and cut its file to nothing; False when a reader still needs it.

        Raises:
            StorageError: the disk failed, and nothing is written from now on; or others kept the file to themselves.
        """
        ((busy, *_),) = self._exclusively("PRAGMA wal_checkpoint(TRUNCATE)")
        return not busy

    def rebuild(self) -> None:
        """Write the database anew, so that nothing is left in it but what it says; others wait meanwhile.

        Raises:
            StorageError: it stays as it was.
        """
        self._exclusively("VACUUM")

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Give a read-only connection for the block; each statement sees what was committed before it began.

        Raises:
            StorageError: the file cannot be read.
        """
        if self._refusal == _CLOSED:
            raise self._error(_CLOSED, "Open it again.")
        try:
            uri = f"{self.path.as_uri()}?mode=ro"
            reader = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_BUSY_TIMEOUT_S)
            with closing(reader):
                yield reader
        except sqlite3.Error as exc:
            raise self._translated(exc) from exc

    def close(self) -> None:
        """Close the writer; a second call does nothing."""
        with self._lock:
            if self._refusal == _CLOSED:
                return
            self._refusal = _CLOSED
            with suppress(sqlite3.Error, StorageError), self._my_turn():  # what was acknowledged is in the WAL already
                self._writer.close()
            self._turn.close()

    def _exclusively(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement that knows no transaction, while no other writer of ours does anything."""
        with self._lock:
            self._refuse_if_unusable()
            with self._my_turn():
                try:
                    found = self._writer.execute(statement).fetchall()
                except sqlite3.Error as exc:
                    raise self._failed(exc) from exc
                self._wal_bytes = 0
                return found

    def _set_patience(self, *, patient: bool) -> None:
        if patient is not self._is_patient:
            self._writer.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_S * 1000 if patient else 0:.0f}")
            self._is_patient = patient

    @contextmanager
    def _my_turn(self) -> Iterator[None]:
        self._take_turn(patient=True)
        try:
            yield
        finally:
            self._turn.give_back()

    def _take_turn(self, *, patient: bool) -> None:
        """Wait for this process's turn to write, as long as SQLite would."""
        if not self._turn.take(_BUSY_TIMEOUT_S if patient else 0.0):
            if not patient:
                raise OccupiedError
            problem = f"another process kept {self.path} to itself for {_BUSY_TIMEOUT_S:.0f} s."
            raise self._error(problem, retryable=True)

    def _sync_folders(self) -> None:
        """Make sure that a power cut leaves the new files their names: SQLite does not look whether its own try worked.

        The folder that holds ours may be as new as it.
        """
        try:
            for folder in (self.path.parent, self.path.parent.parent):
                descriptor = os.open(folder, os.O_RDONLY)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
        except OSError as exc:
            self._writer.close()
            raise self._error(f"the folder of {self.path} cannot be synced: {exc.strerror}.") from exc

    def _refuse_if_unusable(self) -> None:
        if self._refusal:
            remedy = "Open it again." if self._refusal == _CLOSED else "Check the disk, then restart this process."
            raise self._error(self._refusal, remedy)
        if self._identity() != self._inode:
            # The writer would go on into a file without a name, and everything it acknowledged would be gone.
            self._refusal = f"{self.path} was moved, replaced or deleted while it was open."
            raise self._error(self._refusal, "Put it back or restart this process, which starts a new one.")

    def _identity(self) -> tuple[int, int] | None:
        try:
            status = os.stat(self._name)  # noqa: PTH116 - at every commit: a Path makes it cost twice as much
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def _roll_back(self) -> None:
        # A failed ROLLBACK must not hide why the commit failed; SQLite rolls back by itself at the next opening.
        with suppress(sqlite3.Error):
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")

    def _open(self, migrations: Sequence[Migration]) -> sqlite3.Connection:
        try:
            writer = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=_BUSY_TIMEOUT_S)
        except sqlite3.Error as exc:
            raise self._translated(exc) from exc
        try:
            version = self._recognise(writer, newest=len(migrations))
            self._configure(writer)
            self._migrate(writer, migrations[version:])
        except sqlite3.Error as exc:
            writer.close()
            raise self._translated(exc) from exc
        except BaseException:
            writer.close()
            raise
        return writer

    def _recognise(self, writer: sqlite3.Connection, *, newest: int) -> int:
        """Return the structure's version, 0 for a new file."""
        mark = _number(writer, "PRAGMA application_id")
        version = _number(writer, "PRAGMA user_version")
        is_new = mark == 0 and version == 0 and _number(writer, "SELECT count(*) FROM sqlite_schema") == 0
        if not is_new and mark != self._application_id:
            raise self._error(f"{self.path} is a database of something else.", "Give another path.")
        if version > newest:
            problem = f"{self.path} has structure {version}; this Vigie knows {newest}."
            raise self._error(problem, "Install the Vigie that wrote it, or a newer one.")
        return version

    def _configure(self, writer: sqlite3.Connection) -> None:
        wanted = _SYNCHRONOUS[self._durable]
        writer.execute(f"PRAGMA page_size = {_PAGE}")  # an older file keeps its own
        (mode,) = writer.execute("PRAGMA journal_mode = WAL").fetchone()
        writer.execute(f"PRAGMA synchronous = {wanted}")
        writer.execute("PRAGMA secure_delete = ON")  # FAST leaves what was on pages that became free
        writer.execute("PRAGMA wal_autocheckpoint = 0")  # see the class
        if mode != "wal" or _number(writer, "PRAGMA synchronous") != wanted:
            problem = f"{self.path} refuses WAL with synchronous={wanted} (journal is {mode!r})."
            raise self._error(problem, "Put it on a local disk.")

    def _migrate(self, writer: sqlite3.Connection, steps: Sequence[Migration]) -> None:
        for step in steps:
            writer.execute("BEGIN IMMEDIATE")
            for statement in step.statements:
                writer.execute(statement)
            writer.execute(f"PRAGMA application_id = {self._application_id}")
            writer.execute(f"PRAGMA user_version = {step.number}")
            writer.execute("COMMIT")

    def _error(self, problem: str, remedy: str = "", *, retryable: bool = False) -> StorageError:
        return StorageError(self._store, problem, retryable=retryable, remedy=remedy)

    def _failed(self, exc: sqlite3.Error) -> StorageError:
        """Stop for good when the disk failed, and say the error in words of ours."""
        if _primary_code(exc) == sqlite3.SQLITE_IOERR and not _is_out_of_room(exc):
            self._refusal = "the disk failed an earlier write."
        return self._translated(exc)

    def _translated(self, exc: sqlite3.Error) -> StorageError:
        """Say a driver's error in words of ours; the caller chains it."""
        code = _primary_code(exc)
        if code in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}:
            problem = f"{self.path} is damaged or not a database ({exc})."
            return self._error(problem, "Move it aside, then restore a backup or start with a new file.")
        if _is_out_of_room(exc):
            return self._error(f"no room is left for {self.path}.", "Free some space and try again.", retryable=True)
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            return self._error(f"another program keeps {self.path} locked.", retryable=True)
        if code == sqlite3.SQLITE_IOERR:
            return self._error(f"the disk failed on {self.path} ({exc}).", "Check the disk, then restart this process.")
        return self._error(f"{self.path}: {exc}.")


_CLOSED: Final = "it is closed."


def _primary_code(exc: sqlite3.Error) -> int | None:
    """Return SQLite's result code without its extension; None when the driver itself complained."""
    code: int | None = getattr(exc, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _is_out_of_room(exc: sqlite3.Error) -> bool:
    """Whether the disk is full: for the database and its WAL, or for the shared memory that indexes the WAL."""
    code: int | None = getattr(exc, "sqlite_errorcode", None)
    return code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE}


def _number(connection: sqlite3.Connection, query: str) -> int:
    return int(connection.execute(query).fetchone()[0])
