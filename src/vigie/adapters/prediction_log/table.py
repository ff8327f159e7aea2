"""The typed table of one model under one feature schema: found, made and written."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final, NamedTuple

from vigie.adapters.prediction_log.store import SQL, TABLE_SQL
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task

SQL_TYPES: Final = {Kind.INTEGER: "INTEGER", Kind.NUMBER: "REAL", Kind.BOOLEAN: "INTEGER", Kind.CATEGORY: "TEXT"}
_ROWS_TOGETHER: Final = (64, 16)  # in one statement: 2.4, 2.8 and 4.1 µs a row for 64, 16 and one; more gain nothing
_WIDE: Final = 500  # features: SQLite binds 32,766 values at once
_N_OURS: Final = 9  # columns before the features
_ID_MS_BYTES: Final = 6  # a version 7 UUID begins with 48 bits of milliseconds


class TableState(NamedTuple):
    """What is known of a table once it is committed: its number, and how far ids and times are apart in it."""

    n: int
    skew_ms: int


class PredictionTable:
    """One table ``p_<n>``, made when its first rows come.

    Attributes:
        state: what a commit has confirmed, None before the first. Whoever commits what ``insert`` wrote sets it.
    """

    def __init__(self, model: str, schema: Schema) -> None:
        """Name the table; nothing is read or written."""
        self._key = {"model": model, "hash": schema.digest}
        self._schema = schema
        self.state: TableState | None = None

    def insert(self, connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> TableState:
        """Write rows of ``RowEncoder`` inside the caller's transaction; return the state to set when it is committed.

        Raises:
            sqlite3.IntegrityError: an id is there already.
        """
        state = self.state or self._find(connection) or self._create(connection)
        skew_ms = _skew_ms(rows)
        if skew_ms > state.skew_ms:
            connection.execute(SQL["raise_skew"], {"n": state.n, "skew_ms": skew_ms})
            state = TableState(state.n, skew_ms)
        self._write(connection, state.n, rows)
        return state

    def takes_one_statement(self, rows: Sequence[tuple[Any, ...]]) -> bool:
        """Whether ``insert`` executes a single statement for these rows."""
        few = len(rows) == 1 or (len(rows) <= _ROWS_TOGETHER[-1] and len(self._schema.features) < _WIDE)
        return few and self.state is not None and _skew_ms(rows) <= self.state.skew_ms

    def _write(self, connection: sqlite3.Connection, n: int, rows: Sequence[tuple[Any, ...]]) -> None:
        width = len(self._schema.features)
        for chunk in _chunks(rows) if width < _WIDE else ([row] for row in rows):
            bound = _bound_places(chunk, width)
            pick = itemgetter(*bound)
            values: list[Any] = []
            for row in chunk:
                values.append(bytearray(row[0]))
                values += pick(row)
            connection.execute(_insert(n, width, bound, len(chunk)), values)

    def _find(self, connection: sqlite3.Connection) -> TableState | None:
        found = connection.execute(SQL["find_table"], self._key).fetchone()
        return TableState(*found) if found else None

    def _create(self, connection: sqlite3.Connection) -> TableState:
        n = connection.execute(SQL["add_table"], {**self._key, "spec": column_spec(self._schema)}).lastrowid or 0
        kinds = [SQL_TYPES[feature.kind] for feature in self._schema.features]
        columns = "".join(f",\n  f_{place} {kind}" for place, kind in enumerate(kinds))
        connection.execute(TABLE_SQL["create"].format(table=f"p_{n:d}", features=columns))
        return TableState(n, 0)


def on_table(name: str, n: int) -> str:
    """Return a statement of ``table.sql`` on table ``n``."""
    return TABLE_SQL[name].format(table=f"p_{n:d}")


def column_spec(schema: Schema) -> str:
    """Return what the columns of a table mean, as JSON for whoever reads the file without us."""
    columns = [
        {"column": f"f_{place}", "feature": feature.name, "kind": feature.kind.value}
        for place, feature in enumerate(schema.features)
    ]
    target = {
        "name": schema.target.name,
        "task": schema.target.task.value,
        "classes": list(schema.target.classes),
    }
    return json.dumps({"format": 1, "columns": columns, "target": target}, ensure_ascii=False)


def schema_of(spec: str) -> Schema:
    """Return what ``column_spec`` keeps of a schema: names, kinds and target, hence its digest."""
    said = json.loads(spec)
    features = tuple(Feature(column["feature"], Kind(column["kind"])) for column in said["columns"])
    target = said["target"]
    return Schema(features, Target(target["name"], Task(target["task"]), tuple(target["classes"])))


def _skew_ms(rows: Sequence[tuple[Any, ...]]) -> int:
    """Return how far ids and times are apart."""
    times = {(row[0][:_ID_MS_BYTES], row[1]) for row in rows}  # a batch has few
    skew_ms: int = max([abs(int.from_bytes(id_ms) - at_us // 1000) for id_ms, at_us in times])
    return skew_ms


def _chunks(rows: Sequence[tuple[Any, ...]]) -> Iterator[Sequence[tuple[Any, ...]]]:
    """Yield all rows, so many together that few different statements are needed."""
    start = 0
    for n_together in _ROWS_TOGETHER:
        while len(rows) - start >= n_together:
            yield rows[start : start + n_together]
            start += n_together
    if start < len(rows):
        yield rows[start:]


def _bound_places(rows: Sequence[tuple[Any, ...]], width: int) -> tuple[int, ...]:
    """Return the places after the id whose values are bound; a column of ours that is empty in all rows is not.

    The driver looks for an adapter of every None and of bytes (not of a bytearray): half of the time of an insert.
    """
    if len(rows) == 1:
        ours = [place for place in range(1, _N_OURS) if rows[0][place] is not None]
    else:
        columns = list(zip(*rows, strict=True))
        ours = [place for place in range(1, _N_OURS) if columns[place].count(None) < len(rows)]
    return (*ours, *range(_N_OURS, _N_OURS + width))


@lru_cache(512)
def _insert(n: int, width: int, bound: tuple[int, ...], n_rows: int) -> str:
    features = "".join(f", f_{place}" for place in range(width))
    marks = ", ".join(["?", *("?" if place in bound else "NULL" for place in range(1, _N_OURS + width))])
    return TABLE_SQL["insert"].format(table=f"p_{n:d}", features=features, rows=", ".join([f"({marks})"] * n_rows))
