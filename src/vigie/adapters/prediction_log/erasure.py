"""One entity leaves the log: its predictions, their outcomes, and the answers kept for retries."""

import re
import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar
from uuid import UUID

from vigie.adapters.prediction_log.hours import forget_hours, hour_of
from vigie.adapters.prediction_log.remains import count_bytes
from vigie.adapters.prediction_log.store import SQL, STORE, TABLE_SQL
from vigie.adapters.prediction_log.table import on_table
from vigie.adapters.sqlite.file import SqliteFile
from vigie.errors import StorageError
from vigie.ports import Held

_SCANNED_AT_ONCE: Final = 1_000_000  # places: a longer read would keep the WAL from being reset under the writer
_ROWS_AT_ONCE: Final = 1_000
_TRIES: Final = 3  # of ten seconds each
LEAST_NAME_BYTES: Final = 6
_Item = TypeVar("_Item")
_NEAR_US: Final = 60_000_000  # between a prediction's date and the commit that keeps its answer
_UUID: Final = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where one prediction is: table, row, id, and when it was made."""

    n: int
    seq: int
    prediction_id: bytes
    at_us: int


@dataclass(slots=True)
class Found:
    """What the log holds of an entity.

    Attributes:
        places: its predictions.
        n_outcomes: their outcomes.
        replays: rows of the answers kept for retries that speak of it.
    """

    places: list[Place] = field(default_factory=list)
    n_outcomes: int = 0
    replays: list[int] = field(default_factory=list)

    @property
    def counts(self) -> Held:
        """How much that is."""
        return Held(len(self.places), self.n_outcomes, len(self.replays))


def erase_entity(file: SqliteFile, entity: str) -> Held:
    """Delete an entity, bring the deletion into the database, and look for what may be left in its bytes.

    Deleted cells are overwritten (``secure_delete``), but SQLite keeps older copies where it moved cells between pages
    that filled up. Where some are found, the database is written anew.

    Raises:
        StorageError: not everything is gone; what is gone stays gone.
    """
    found = find_entity(file, entity)
    _delete(file, found)
    _empty_wal(file)
    if _remains(file, entity, found):
        file.rebuild()
        _empty_wal(file)
        if left := _remains(file, entity, found):
            problem = f"{left} copies of what was erased are still in {file.path}."
            raise StorageError(STORE, problem, retryable=True, remedy="Erase again; what is live was deleted.")
    return found.counts


def find_entity(file: SqliteFile, entity: str) -> Found:
    """Return what the log holds of an entity now; what is logged meanwhile may be missed."""
    found = Found()
    with file.read() as connection:
        for n, _ in connection.execute(SQL["all_tables"]).fetchall():
            newest = connection.execute(on_table("last_seq", n)).fetchone()[0] or 0
            for after in range(0, newest, _SCANNED_AT_ONCE):
                bounds = {"after": after, "last": min(after + _SCANNED_AT_ONCE, newest), "entity": entity}
                found.places += [Place(n, *row) for row in connection.execute(on_table("of_entity", n), bounds)]
        for place in found.places:
            found.n_outcomes += len(connection.execute(SQL["outcomes_of"], (place.prediction_id,)).fetchall())
        found.replays = _replays(connection, entity, found.places)
    return found


def _delete(file: SqliteFile, found: Found) -> None:
    """Delete what was found. Predictions go last: until then a second try finds everything again."""
    for batch in _batches(found.replays):
        with file.write() as connection:
            connection.executemany(SQL["delete_replay"], [(seq,) for seq in batch])
    for places in _batches(found.places):
        with file.write() as connection:
            connection.executemany(SQL["delete_outcomes_of"], [(place.prediction_id,) for place in places])
            for n in {place.n for place in places}:
                forget_hours(connection, n, {hour_of(place.at_us) for place in places if place.n == n})
            for place in places:
                connection.execute(on_table("delete", place.n), (place.seq,))


def _empty_wal(file: SqliteFile) -> None:
    """Older pages must not outlive the deletion in the WAL; a reader ends within its 64 k rows."""
    for _ in range(_TRIES):
        if file.empty_wal():
            return
    problem = f"{file.path} is being read for so long that its WAL still holds what was erased."
    raise StorageError(STORE, problem, retryable=True, remedy="End the reader, then erase again.")


def _remains(file: SqliteFile, entity: str, found: Found) -> int:
    """Return how many copies of the erased ids, or of the entity's own name, are in the files and not in live rows.

    A name is looked for where it is long enough not to turn up by chance; it may be part of others' values.
    """
    ids = [place.prediction_id for place in found.places]
    name = entity.encode()
    names = [name] if len(name) >= LEAST_NAME_BYTES else []
    files = [file.path, file.path.with_name(f"{file.path.name}-wal")]
    counts = count_bytes(files, [*ids, *(str(UUID(bytes=one)).encode() for one in ids), *names])
    n_names = counts.pop(name, 0) if names else 0
    return counts.total() + (max(0, n_names - _occurrences(file, entity)) if n_names else 0)


def _occurrences(file: SqliteFile, entity: str) -> int:
    """Return how often a text stands in live values: a name may be part of another's."""
    total = 0
    with file.read() as connection:
        places = [("label", ["outcome"]), ("replay", ["key", "response"]), ("feature_schema", ["spec", "model"])]
        for n, _ in connection.execute(SQL["all_tables"]).fetchall():
            columns = [name for (name,) in connection.execute(on_table("text_columns", n))]
            places.append((f"p_{n:d}", columns))
        for table, columns in places:
            each = " + ".join(TABLE_SQL["occurrences"].format(column=column) for column in columns)
            query = TABLE_SQL["all_occurrences"].format(table=table, each=each)
            total += connection.execute(query, {"text": entity}).fetchone()[0]
    return total


def _replays(connection: sqlite3.Connection, entity: str, places: Sequence[Place]) -> list[int]:
    """Return the kept answers that name the entity or one of its predictions.

    An answer in a format without ids may speak of anybody: it goes when it was kept within a minute of one of the
    entity's predictions. Who retries it is answered anew.
    """
    ids = {str(UUID(bytes=place.prediction_id)).encode() for place in places}
    name, times = entity.encode(), sorted(place.at_us for place in places)
    wanted = []
    for seq, key, response, kept_us in connection.execute(SQL["replays"]):
        named = set(_UUID.findall(response))
        near = not named and bisect_left(times, kept_us - _NEAR_US) < bisect_right(times, kept_us + _NEAR_US)
        if near or ids & named or name in response or name in key.encode():
            wanted.append(seq)
    return wanted


def _batches(items: list[_Item]) -> list[list[_Item]]:
    return [items[start : start + _ROWS_AT_ONCE] for start in range(0, len(items), _ROWS_AT_ONCE)]
