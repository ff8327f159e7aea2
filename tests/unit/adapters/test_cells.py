"""Cells read from pages of memory are what the driver itself finds."""

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest

from vigie.adapters.sqlite.cells import fetch_cells

_EDGES = sorted(
    {sign * (2**bits + more) for bits in (0, 7, 15, 23, 31, 47, 62) for more in (-1, 0, 1) for sign in (1, -1)}
)
_INTEGERS = [None, 0, 1, 2, -(2**63), 2**63 - 1, *_EDGES]
_REALS = [None, 0.0, 1.0, -3.0, 1e16, 0.1, 5e-324, -1.7976931348623157e308, float("inf"), float("-inf")]
_LENGTHS = (0, 1, 57, 58, 127, 128, 8_185, 16_384, 65_480, 65_490, 65_500, 65_510, 131_000, 131_100, 400_000)
_TEXTS = [None, "é€𝄞", "a\0b", *("x" * n for n in _LENGTHS)]


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    """A database in memory with one typed table."""
    opened = sqlite3.connect(":memory:", isolation_level=None)
    opened.execute("CREATE TABLE t (id BLOB, i INTEGER, r REAL, s TEXT) STRICT")
    yield opened
    opened.close()


def check(connection: sqlite3.Connection, rows: list[tuple[Any, ...]]) -> None:
    """Compare columns with the driver's rows, in an order that is not that of insertion."""
    connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", rows)
    query = "SELECT id, i, r, s FROM t WHERE i IS NOT :no ORDER BY id DESC"
    expected = connection.execute(query, {"no": -5}).fetchall()
    cells = fetch_cells(connection, query, {"no": -5}, 4)
    assert cells.n == len(rows)
    ids = [one.tobytes() for one in cells.blobs(0, 16)]
    columns = (ids, cells.integers(1).to_pylist(), cells.reals(2).to_pylist(), cells.texts(3).to_pylist())
    assert list(zip(*columns, strict=True)) == expected


def row(number: int, i: int | None = 7, r: float | None = 0.5, s: str | None = "s") -> tuple[Any, ...]:
    """Return a row with an id of its own."""
    return number.to_bytes(16, "big"), i, r, s


def test_integers_of_every_width(connection: sqlite3.Connection) -> None:
    """SQLite keeps integers in none to eight bytes: each comes back with its sign."""
    check(connection, [row(number, i=value) for number, value in enumerate(_INTEGERS)])


def test_reals(connection: sqlite3.Connection) -> None:
    """Floats come back bit by bit, whole ones and infinities too."""
    check(connection, [row(number, r=value) for number, value in enumerate(_REALS)])


def test_texts_of_every_length(connection: sqlite3.Connection) -> None:
    """Texts come back whole: empty, with a NUL, around the ends of a page, and over several pages."""
    check(connection, [row(number, s=value) for number, value in enumerate(_TEXTS)])


@pytest.mark.parametrize("length", range(65_440, 65_500))
def test_records_around_a_page(connection: sqlite3.Connection, length: int) -> None:
    """The longest record that fits into a leaf, and the next ones, which do not."""
    check(connection, [row(number, s="y" * length) for number in range(2)])


def test_many_pages_keep_the_order(connection: sqlite3.Connection) -> None:
    """Rows of several hundred pages come in the order of the query."""
    check(connection, [row(number, i=number, s="z" * (number * 37 % 4_000)) for number in range(10_000)])


def test_no_rows(connection: sqlite3.Connection) -> None:
    """A query that finds nothing gives empty columns."""
    check(connection, [])


def test_nothing_is_left_behind(connection: sqlite3.Connection) -> None:
    """The memory is given back, after a failure too, and nothing was written to the database."""
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        fetch_cells(connection, "SELECT * FROM missing", {}, 1)
    fetch_cells(connection, "SELECT 1", {}, 1)
    assert [name for _, name, _ in connection.execute("PRAGMA database_list")] == ["main"]
    assert connection.total_changes == 1
