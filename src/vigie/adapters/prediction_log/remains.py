"""Whether bytes are left in files: the proof that an erasure erased."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

_CHUNK: Final = 1 << 24


def count_bytes(paths: Sequence[Path], needles: Sequence[bytes]) -> Counter[bytes]:
    """Return how often each needle stands in files, overlapping ones too; a missing file holds nothing.

    One pass for all needles: a table of what their last two bytes can be leaves one place in many to look at closely.

    Args:
        paths: any files.
        needles: each at least four bytes long; what is looked for should end in bytes that vary.
    """
    found: Counter[bytes] = Counter()
    if not needles:
        return found
    wanted, lengths = set(needles), sorted({len(needle) for needle in needles})
    ends = [_table([needle[-2:] for needle in wanted]), _table([needle[-4:-2] for needle in wanted])]
    for path in paths:
        for chunk, fresh in _chunks(path, overlap=lengths[-1] - 1):
            for end in _candidates(chunk, *ends):
                if end > fresh:
                    found.update(part for n in lengths if n <= end and (part := chunk[end - n : end]) in wanted)
    return found


def _chunks(path: Path, overlap: int) -> Iterator[tuple[bytes, int]]:
    """Yield a file's bytes, each part with the end of the one before, and how many of its bytes that was."""
    tail = b""
    try:
        with path.open("rb") as file:
            while fresh := file.read(_CHUNK):
                chunk = tail + fresh
                yield chunk, len(tail)
                tail = chunk[-overlap:]
    except FileNotFoundError:
        return


def _table(pairs: Sequence[bytes]) -> np.ndarray:
    table = np.zeros(1 << 16, dtype=np.bool_)
    table[[int.from_bytes(pair, "little") for pair in pairs]] = True
    return table


def _candidates(chunk: bytes, last: np.ndarray, before: np.ndarray) -> Iterator[int]:
    """Yield where a needle may end."""
    for shift in (0, 1):
        pairs = np.frombuffer(chunk, "<u2", (len(chunk) - shift) // 2, shift)
        places = np.flatnonzero(last[pairs])
        places = places[places > 0]
        yield from (2 * (places[before[pairs[places - 1]]] + 1) + shift).tolist()
