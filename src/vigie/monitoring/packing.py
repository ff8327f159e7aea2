"""Window counts as few bytes: what stands beside the log for every hour, and adds up without being unpacked.

Counts are laid out as one vector of whole numbers and one of sums, so that a month of hours is added by numpy and
unpacked once. Whole numbers take as many bytes as the largest of them needs: an hour of 25 columns is some 13 KiB.
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from typing import Any, Final

import numpy as np

from vigie.monitoring.columns import ColumnCounts, NumericColumn
from vigie.monitoring.counts import WindowCounts
from vigie.monitoring.profile import ReferenceProfile

FORMAT: Final = 1
"""Version of the layout; belongs into whatever decides that kept bytes may be used again."""

_HEADER: Final = struct.Struct("<BBxxI")  # format, bytes per whole number, whole numbers; then these, then the sums
_WIDTHS: Final = (1, 2, 4, 8)


def pack(counts: WindowCounts) -> bytes:
    """Return counts as bytes; ``Packing`` of the same profile reads them."""
    parts = [_split(column) for column in (*counts.features, counts.prediction)]
    ints = np.concatenate([[counts.n], *(values for part, _ in parts for values in part)])
    sums = np.concatenate([np.empty(0), *(values for _, part in parts for values in part)])
    return _write(ints.astype(np.int64), sums)


def merge(contents: Iterable[bytes]) -> bytes:
    """Return the packed counts of all windows together.

    Cells are exact. Sums are added in the order given, as doubles: two orders differ by less than 2**-52 times the
    number of parts times the sum of the parts' magnitudes.

    Args:
        contents: packed on the grid of one profile, at least one.

    Raises:
        ValueError: there is none, or they are not of one grid, or not packed counts.
    """
    total: tuple[np.ndarray, np.ndarray] | None = None
    for content in contents:
        ints, sums = _read(content)
        if total is None:
            total = ints.astype(np.int64), sums.copy()
            continue
        if (len(ints), len(sums)) != (len(total[0]), len(total[1])):
            raise ValueError("packed counts of different profiles do not add up")
        np.add(total[0], ints, out=total[0])
        with np.errstate(over="ignore", invalid="ignore"):  # an overflow stays one: "no value" in reports
            np.add(total[1], sums, out=total[1])
    if total is None:
        raise ValueError("no packed counts to add up")
    return _write(*total)


class Packing:
    """Reads the packed counts of one profile."""

    def __init__(self, profile: ReferenceProfile) -> None:
        """Take the layout from counts of no row."""
        empty = np.empty(0)
        columns = (*profile.features, profile.prediction)
        self._zeros: Sequence[ColumnCounts] = [
            column.count(empty if isinstance(column, NumericColumn) else empty.astype(object)) for column in columns
        ]
        sizes = [[sum(map(len, part)) for part in _split(zeros)] for zeros in self._zeros]
        self._size = 1 + sum(n_ints for n_ints, _ in sizes), sum(n_sums for _, n_sums in sizes)

    @property
    def nothing(self) -> WindowCounts:
        """The counts of no row."""
        return WindowCounts(0, tuple(self._zeros[:-1]), self._zeros[-1])

    def unpack(self, content: bytes) -> WindowCounts:
        """Return what ``pack`` was given.

        Raises:
            ValueError: not packed counts of this profile.
        """
        ints, sums = _read(content)
        if (len(ints), len(sums)) != self._size:
            raise ValueError("these are packed counts of another profile")
        whole, real = _Reader(ints.astype(np.int64), 1), _Reader(sums, 0)
        columns: list[ColumnCounts] = [_rebuild(zeros, whole, real) for zeros in self._zeros]
        return WindowCounts(int(ints[0]), tuple(columns[:-1]), columns[-1])


class _Reader:
    """Gives a vector's values from left to right."""

    def __init__(self, values: np.ndarray, place: int) -> None:
        self._values, self._place = values, place

    def take(self, n: int) -> np.ndarray:
        """Return the next ``n``."""
        start, self._place = self._place, self._place + n
        return self._values[start : self._place]


def _split(counts: ColumnCounts) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return a column's whole numbers and its sums, each in the order of its fields."""
    values = [np.atleast_1d(getattr(counts, field.name)) for field in fields(counts)]
    return [one for one in values if one.dtype.kind == "i"], [one for one in values if one.dtype.kind == "f"]


def _rebuild(zeros: ColumnCounts, whole: _Reader, real: _Reader) -> ColumnCounts:
    """Return counts laid out as ``zeros``, with the next values of both vectors."""
    taken: dict[str, Any] = {}
    for field in fields(zeros):
        like = getattr(zeros, field.name)
        reader = whole if np.atleast_1d(like).dtype.kind == "i" else real
        taken[field.name] = reader.take(len(like)) if isinstance(like, np.ndarray) else reader.take(1)[0].item()
    return replace(zeros, **taken)


def _write(ints: np.ndarray, sums: np.ndarray) -> bytes:
    largest = int(ints.max())
    width = next(width for width in _WIDTHS if largest < 1 << (8 * width - (width == _WIDTHS[-1])))
    whole, real = ints.astype(f"<u{width}"), sums.astype("<f8")
    return _HEADER.pack(FORMAT, width, len(ints)) + whole.tobytes() + real.tobytes()


def _read(content: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Return the whole numbers as they are kept, and the sums."""
    try:
        version, width, n_ints = _HEADER.unpack_from(content)
        if version != FORMAT or width not in _WIDTHS:
            raise ValueError(f"packed counts of format {version}, not {FORMAT}")
        end = _HEADER.size + n_ints * width
        return np.frombuffer(content[_HEADER.size : end], f"<u{width}"), np.frombuffer(content[end:], "<f8")
    except struct.error as exc:
        raise ValueError("too short for packed counts") from exc
