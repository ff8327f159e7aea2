"""What a writer says when it keeps nothing, and whose fault that was."""

import sqlite3
from typing import Final

from vigie.adapters.prediction_log.store import STORE
from vigie.errors import StorageError

CLOSED: Final = "it is closed."
_OF_A_BATCH: Final = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    ArithmeticError,
    TypeError,
    ValueError,
)


def refusal(problem: str, *, retryable: bool = False) -> StorageError:
    """Return an error of this store."""
    return StorageError(STORE, problem, retryable=retryable, remedy="Open it again." if problem == CLOSED else "")


def full(n_waiting: int) -> StorageError:
    """Return the error of a queue without room."""
    return refusal(f"{n_waiting:,} rows wait for it already.", retryable=True)


def unexpected(error: Exception) -> StorageError:
    """Return an error of this store for one that nobody foresaw."""
    known = refusal(f"it cannot keep this ({error}).")
    known.__cause__ = error
    return known


def again(error: StorageError) -> StorageError:
    """Return the same error once more: an exception that several tasks raise would gather all of their tracebacks."""
    copy = StorageError.__new__(StorageError, *error.args)
    copy.__dict__.update(error.__dict__)
    copy.__cause__ = error
    return copy


def blames_a_batch(error: Exception) -> bool:
    """Whether the rows were wrong (an id that is there already, a value no column takes) and not the log."""
    cause = error.__cause__ if isinstance(error, StorageError) else error
    return isinstance(cause, _OF_A_BATCH)
