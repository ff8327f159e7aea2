"""Whether bytes are left in files: the proof that an erasure erased."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

_CHUNK: Final = 1 << 20  # bytes: what is made of them stays in the cache
_WORD: Final = 8
_LONG: Final = 2 * _WORD - 1  # bytes that hold a whole aligned word, wherever they begin
_SPREAD: Final = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio (Knuth's multiplicative hashing)


def count_bytes(paths: Sequence[Path], needles: Sequence[bytes]) -> Counter[bytes]:
    """Return how often each needle stands in files, overlapping ones too; a missing file holds nothing.

    One pass for all needles of 15 bytes and more, however many, one more for each that is shorter.

    Args:
        paths: any files.
        needles: none is empty.
    """
    found: Counter[bytes] = Counter()
    wanted = set(needles)
    if not wanted:
        return found
    long = _Words([needle for needle in wanted if len(needle) >= _LONG])
    short = [needle for needle in wanted if len(needle) < _LONG]
    overlap = max(map(len, wanted)) - 1
    for path in paths:
        for chunk, n_old in _chunks(path, overlap):
            found.update(needle for needle, end in long.find(chunk) if end > n_old)
            for needle in short:
                found[needle] += sum(end > n_old for end in _ends(chunk, needle))
    return +found


class _Words:
    """Finds long needles by the aligned words of a text: each copy holds one of its needle's first eight words.

    An eighth of the places is looked at, by a table of hashed words; what passes it is compared byte by byte.
    """

    def __init__(self, needles: Sequence[bytes]) -> None:
        self._places: defaultdict[int, list[tuple[bytes, int]]] = defaultdict(list)
        for needle in needles:
            for offset in range(_WORD):
                word = int.from_bytes(needle[offset : offset + _WORD], "little")
                self._places[word].append((needle, offset))
        bits = min(26, max(16, (64 * len(self._places)).bit_length()))
        self._shift = np.uint64(64 - bits)
        self._table = np.zeros(1 << bits, dtype=np.bool_)
        self._table[self._hash(np.fromiter(self._places, np.uint64, len(self._places)))] = True

    def find(self, chunk: bytes) -> Iterator[tuple[bytes, int]]:
        """Yield each needle that stands in a chunk, once for every time, and where it ends."""
        words = np.frombuffer(chunk, "<u8", len(chunk) // _WORD)
        for place in np.flatnonzero(self._table[self._hash(words)]).tolist():
            for needle, offset in self._places.get(int(words[place]), ()):
                start = _WORD * place - offset
                if start >= 0 and chunk.startswith(needle, start):
                    yield needle, start + len(needle)

    def _hash(self, words: np.ndarray) -> np.ndarray:
        hashed: np.ndarray = (words * _SPREAD) >> self._shift
        return hashed.view(np.int64)


def _ends(chunk: bytes, needle: bytes) -> Iterator[int]:
    """Yield where a needle ends."""
    start = chunk.find(needle)
    while start >= 0:
        yield start + len(needle)
        start = chunk.find(needle, start + 1)


def _chunks(path: Path, overlap: int) -> Iterator[tuple[bytes, int]]:
    """Yield a file's bytes, each part with the end of the one before, and how many of its bytes that was."""
    tail = b""
    try:
        with path.open("rb") as file:
            while fresh := file.read(_CHUNK):
                chunk = tail + fresh
                yield chunk, len(tail)
                tail = chunk[-overlap:] if overlap else b""
    except FileNotFoundError:
        return
