"""The tables that drift is looked for in: 20 numbers and 5 categories, two of the columns moved by 0.1 sd."""

from collections.abc import Iterator
from hashlib import sha256

import numpy as np
import pyarrow as pa

N_REFERENCE = 100_000
DRIFTED = ("x0", "x8")
"""A normal and a lognormal column."""

NUMBERS = tuple(f"x{place}" for place in range(20))
CATEGORIES = {"k2": 2, "k5": 5, "k10": 10, "k20": 20, "k50": 50}
"""Levels of each categorical column; the n-th is 1/n times as frequent as the first (Zipf)."""

_SHIFT = 0.1


def make_table(n: int, seed: int, *, drifted: bool) -> pa.Table:
    """Return ``n`` rows; the same seed gives the same rows."""
    rng = np.random.default_rng(seed)
    columns: dict[str, np.ndarray] = dict(zip(NUMBERS, _numbers(rng, n), strict=True))
    if drifted:
        columns["x0"] = columns["x0"] + _SHIFT
        columns["x8"] = columns["x8"] * np.exp(_SHIFT)
    for name, n_levels in CATEGORIES.items():
        weights = 1 / np.arange(1, n_levels + 1)
        columns[name] = rng.choice([f"level {k}" for k in range(n_levels)], n, p=weights / weights.sum())
    return pa.table({name: pa.array(values) for name, values in columns.items()})


def checksum(table: pa.Table) -> str:
    """Return the first digits of the SHA-256 of the values, to tell that two machines compared the same rows."""
    digest = sha256()
    for name in table.column_names:
        values = table[name].to_numpy() if name in NUMBERS else "\0".join(table[name].to_pylist()).encode()
        digest.update(values)
    return digest.hexdigest()[:16]


def _numbers(rng: np.random.Generator, n: int) -> Iterator[np.ndarray]:
    yield from (rng.normal(size=n) for _ in range(8))
    yield from (rng.lognormal(size=n) for _ in range(4))
    yield from (rng.standard_t(3, size=n) for _ in range(3))
    yield from (rng.poisson(mean, n).astype(np.float64) for mean in (2, 20))
    yield from (np.where(rng.random(n) < 0.6, 0.0, rng.exponential(size=n)) for _ in range(2))
    yield rng.uniform(size=n)
