"""Numbers in memory that the workers of one server share: each writes its own part, whoever is asked reads all.

A number is written where it is counted, so that nothing is collected, sent or lost: a worker that is killed leaves its
part as it is, and the one that takes its place goes on counting there. That is why a counter never goes back.
"""

import json
import logging
from collections.abc import Iterator
from mmap import mmap
from threading import Lock

PART_BYTES = 4 * 2**20
"""Room of one worker, some 40,000 numbers with their names; a page is only there once it is written."""

_SPARE = 32
"""Numbers at the end of a part that stand for all that found no room; no name has more."""

Name = tuple[str, ...]
"""What a number counts: a metric, and its labels."""

_log = logging.getLogger("vigie.api")


class Board:
    """The shared memory, made before the workers are.

    Args:
        n_workers: how many there will be.
    """

    def __init__(self, n_workers: int = 1) -> None:
        self.n_workers = n_workers
        self._memory = mmap(-1, n_workers * PART_BYTES)

    def cells(self, worker: int) -> "Cells":
        """Return the part of one worker.

        Args:
            worker: its number, from 0.
        """
        start = worker * PART_BYTES
        return Cells(memoryview(self._memory)[start : start + PART_BYTES].cast("d"))


class Cells:
    """One worker's part: ``numbers`` by place, and a name at the head of every place or row of places.

    The first number says how many are in use. An entry is: how many numbers it has, how long its name is in bytes, the
    name, the numbers. Read by every process, written by one; all numbers are as wide as one store to memory.

    Args:
        numbers: the memory, zero where it was never written.
    """

    def __init__(self, numbers: "memoryview[float]") -> None:
        self.numbers = numbers
        self._bytes = numbers.cast("B")
        self._lock = Lock()
        self._places = {name: place for name, place, _ in self._entries()}
        self._spare: int | None = None

    def place(self, name: Name, n: int = 1) -> int:
        """Return where the numbers of a name are, a new place for a new name.

        Args:
            name: what they count.
            n: how many there are.
        """
        found = self._places.get(name)
        if found is not None:
            return found
        with self._lock:
            return self._places[name] if name in self._places else self._add(name, n)

    def add(self, name: Name, amount: float) -> None:
        """Add to a number."""
        self.numbers[self.place(name)] += amount

    def put(self, name: Name, value: float) -> None:
        """Change a number."""
        self.numbers[self.place(name)] = value

    def names(self) -> list[Name]:
        """Return what this part has numbers for."""
        return list(self._places)

    def read(self) -> dict[Name, list[float]]:
        """Return all numbers by name, as they are now."""
        return {name: list(self.numbers[place : place + n]) for name, place, n in self._entries()}

    def _add(self, name: Name, n: int) -> int:
        told = json.dumps(name).encode()
        start = int(self.numbers[0]) or 1
        place = start + 2 + -(-len(told) // 8)
        if place + n > len(self.numbers) - _SPARE:
            return self._no_room()
        self.numbers[start], self.numbers[start + 1] = n, len(told)
        self._bytes[8 * (start + 2) : 8 * (start + 2) + len(told)] = told
        for cell in range(place, place + n):
            self.numbers[cell] = 0.0  # whoever was killed here may have left something
        self.numbers[0] = place + n  # from now on it is there for others, whole
        self._places[name] = place
        return place

    def _no_room(self) -> int:
        """Return a place that nobody reads: no request fails because it cannot be counted."""
        if self._spare is None:
            _log.error("no room for further metrics: what is new is not counted")
        self._spare = len(self.numbers) - _SPARE
        return self._spare

    def _entries(self) -> Iterator[tuple[Name, int, int]]:
        start, end = 1, int(self.numbers[0])
        while start < end:
            n, length = int(self.numbers[start]), int(self.numbers[start + 1])
            name = tuple(json.loads(bytes(self._bytes[8 * (start + 2) : 8 * (start + 2) + length])))
            place = start + 2 + -(-length // 8)
            yield name, place, n
            start = place + n
