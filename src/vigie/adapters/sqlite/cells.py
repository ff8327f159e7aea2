"""What a query finds, as columns: SQLite packs the rows into pages of memory, and numpy reads the pages all at once.

The driver makes a Python object of every cell, which costs several times what SQLite itself does. Pages are SQLite's
own file format, documented and kept stable (https://sqlite.org/fileformat2.html, sections 1.6 and 2.1), so no second
SQLite is needed: one would drop the locks of this process's writer when it closes the file.
"""

import sqlite3
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa

_PAGE: Final = 65_536  # bytes, the largest there is: few pages to walk
_ROOT: Final = 2  # page of the first table; page 1 holds the catalogue
_INNER: Final = 5  # a page's first byte; a leaf has 13
_INNER_HEADER, _LEAF_HEADER = 12, 8
_MOST_LOCAL: Final = _PAGE - 35  # bytes of a record in its leaf; the rest of a longer one is in a chain of pages
_LEAST_LOCAL: Final = (_PAGE - 12) * 32 // 255 - 23
_PER_OVERFLOW: Final = _PAGE - 4  # after the number of the next
_FIRST_TEXT: Final = 12  # serial types from here on say how long a blob (even) or a text (odd) is
_SIZES: Final = np.array([0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0, *(n for n in range(128) for _ in range(2))])
"""Bytes by serial type: null, six integers, a float, 0, 1, two that are none, blobs and texts of up to 127 bytes."""
_ONE: Final = 9
_WORD: Final = 8
_MORE: Final = 0x80  # in a byte of a variable-length integer: another one follows

Places = np.ndarray[tuple[int], np.dtype[np.int64]]


def fetch_cells(connection: sqlite3.Connection, query: str, bounds: dict[str, Any], width: int) -> "Cells":
    """Return the rows of a query, in its order.

    Args:
        connection: in autocommit mode; a read-only one will do, since what is written is memory of its own.
        query: a SELECT.
        bounds: its parameters.
        width: how many columns it has.

    Raises:
        sqlite3.Error: the query failed.
    """
    connection.execute("ATTACH ':memory:' AS packed")
    try:
        connection.execute(f"PRAGMA packed.page_size = {_PAGE}")
        columns = ", ".join(f"c{place}" for place in range(width))  # without a type: a value is stored as it is
        connection.execute(f"CREATE TABLE packed.found ({columns})")
        connection.execute(f"INSERT INTO packed.found {query}", bounds)
        return Cells(connection.serialize(name="packed"), width)
    finally:
        connection.execute("DETACH packed")


class Cells:
    """Rows of one table as columns; null where the cell is.

    Attributes:
        n: rows.
    """

    def __init__(self, image: bytes, width: int) -> None:
        """Find every cell of a database's first table.

        Args:
            image: the whole database, of pages of 65,536 bytes.
            width: the table's columns.
        """
        data = np.frombuffer(image, np.uint8)
        at = np.concatenate(list(_leaf_cells(image, _ROOT)))
        n_bytes, at = _varints(data, at)
        _, at = _varints(data, at)  # the row number
        long = np.flatnonzero(n_bytes > _MOST_LOCAL)
        whole = [_whole(image, start, n) for start, n in zip(at[long].tolist(), n_bytes[long].tolist(), strict=True)]
        at[long] = len(image) + np.cumsum([0, *map(len, whole)])[:-1]
        self._image = b"".join([image, *whole, bytes(_WORD)])  # a word may be asked for at the end
        self._data = np.frombuffer(self._image, np.uint8)
        self._columns = list(_fields(self._data, at, width))
        self.n = len(at)

    def integers(self, place: int) -> pa.Array:
        """Return a column of integers, int64."""
        kind, at = self._columns[place]
        words = self._gather(at, _WORD).view(">i8").astype(np.int64)
        n_bytes = _SIZES[kind]
        values = np.where(n_bytes == 0, kind == _ONE, words >> (64 - 8 * np.maximum(n_bytes, 1)))
        return pa.array(values, pa.int64(), mask=kind == 0)

    def reals(self, place: int) -> pa.Array:
        """Return a column of floats, float64."""
        kind, at = self._columns[place]
        values = self._gather(at, _WORD).view(">f8").astype(np.float64)
        return pa.array(values, pa.float64(), mask=kind == 0)

    def texts(self, place: int) -> pa.Array:
        """Return a column of texts, string.

        Arrow is shown the pages as one long text cut before and after each cell, and takes every second piece.
        """
        kind, at = self._columns[place]
        by_place = np.argsort(at)
        cuts = np.zeros(2 * self.n + 1, np.int64)
        cuts[1::2] = at[by_place]
        cuts[2::2] = (at + _n_bytes(kind))[by_place]
        pieces = pa.LargeStringArray.from_buffers(2 * self.n, pa.py_buffer(cuts), pa.py_buffer(self._image))
        wanted = np.empty(self.n, np.int64)
        wanted[by_place] = np.arange(1, 2 * self.n, 2)
        return pieces.take(pa.array(wanted, mask=kind == 0)).cast(pa.string())

    def blobs(self, place: int, size: int) -> np.ndarray:
        """Return a column of blobs of one size, none null, as an array of bytes, shape (n, size)."""
        return self._gather(self._columns[place][1], size).view(np.uint8).reshape(self.n, size)

    def _gather(self, at: Places, size: int) -> np.ndarray:
        """Return some bytes from each place on, one opaque item each, shape (n)."""
        everywhere: np.ndarray = np.ndarray(len(self._image) - size + 1, f"V{size}", self._image, strides=1)
        return everywhere[at]


def _leaf_cells(image: bytes, page: int) -> Iterator[Places]:
    """Yield where the cells of each leaf below a page begin, in the order of the rows."""
    start = (page - 1) * _PAGE
    n = int.from_bytes(image[start + 3 : start + 5])
    is_inner = image[start] == _INNER
    header = start + (_INNER_HEADER if is_inner else _LEAF_HEADER)
    cells = start + np.frombuffer(image, ">u2", n, header).astype(np.int64)
    if not is_inner:
        yield cells
        return
    for child in (*cells.tolist(), start + _LEAF_HEADER):  # the last one is named in the header
        yield from _leaf_cells(image, int.from_bytes(image[child : child + 4]))


def _whole(image: bytes, start: int, n: int) -> bytes:
    """Return a record of ``n`` bytes that goes on in a chain of pages."""
    local = _LEAST_LOCAL + (n - _LEAST_LOCAL) % _PER_OVERFLOW
    end = start + (local if local <= _MOST_LOCAL else _LEAST_LOCAL)
    parts, page = [image[start:end]], int.from_bytes(image[end : end + 4])
    while page:
        start = (page - 1) * _PAGE
        parts.append(image[start + 4 : start + _PAGE])
        page = int.from_bytes(image[start : start + 4])
    return b"".join(parts)[:n]


def _fields(data: np.ndarray, record: Places, width: int) -> Iterator[tuple[Places, Places]]:
    """Yield each column's serial types, and where its cells begin."""
    n_header, kind_at = _varints(data, record)
    at = record + n_header
    for _ in range(width):
        kind, kind_at = _varints(data, kind_at)
        yield kind, at
        at = at + _n_bytes(kind)


def _n_bytes(kind: Places) -> Places:
    """Return how long cells of these serial types are."""
    if kind.max(initial=0) < len(_SIZES):
        return _SIZES[kind]
    return np.where(kind < _FIRST_TEXT, _SIZES[np.minimum(kind, _ONE)], (kind - _FIRST_TEXT) >> 1)


def _varints(data: np.ndarray, at: Places) -> tuple[Places, Places]:
    """Return the variable-length integers at some places, and where each ends: seven bits a byte, the first ones first.

    Sizes and serial types stay below 2**31: no more than five bytes.
    """
    value, end = data[at].astype(np.int64), at + 1
    unread = np.flatnonzero(value >= _MORE)
    value &= _MORE - 1
    while unread.size:
        byte = data[end[unread]].astype(np.int64)
        value[unread] = (value[unread] << 7) | (byte & (_MORE - 1))
        end[unread] += 1
        unread = unread[byte >= _MORE]
    return value, end
