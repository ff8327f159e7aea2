"""Whether the statistics are right, before anybody is timed: against scipy on the rows, and against themselves.

A child: one JSON object with the largest error of each kind, on a reference and a window of the benchmark's own table
with missing and infinite values, ties and a constant column put in.
"""

from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.stats import chi2_contingency, ks_2samp

from benchmarks.children import answer_one
from benchmarks.drift.judging import profile_of
from benchmarks.drift.tables import CATEGORIES, NUMBERS, make_table
from vigie.monitoring.counts import WindowCounts, count_window
from vigie.monitoring.drift.chi_square import chi_square
from vigie.monitoring.drift.pair import Pair
from vigie.monitoring.packing import Packing, merge, pack
from vigie.monitoring.profile import ReferenceProfile

SPLITS = 12


def check(request: Any) -> dict[str, float]:
    """Return the largest errors: ``psi``, ``ks``, ``chi_square``, and ``cells`` that any split or order changes."""
    n, seed = request["rows"], request["seed"]
    reference, window = _spoilt(make_table(n, seed, drifted=False)), _spoilt(make_table(n, seed + 1, drifted=True))
    profile = profile_of(reference)
    counts = _count(profile, window)
    numbers = list(zip(profile.features, counts.features, strict=True))[: len(NUMBERS)]
    ks, psi = [], []
    for column, counted in numbers:
        old, new = (_known(table, column.name) for table in (reference, window))
        pair = Pair(column, counted)
        ks.append(abs(ks_2samp(old, new, method="asymp").statistic - pair.largest_gap))
        psi.append(abs(_psi(old, new) - pair.stability_index))
    return {
        "psi": max(psi),
        "ks": max(ks),
        "chi_square": max(_chi_square_error(reference, window, name) for name in CATEGORIES),
        "cells": float(_changed_cells(profile, window, counts, np.random.default_rng(seed))),
    }


def _spoilt(table: pa.Table) -> pa.Table:
    """Put in what real tables have: a tenth missing, both infinities, heavy ties, a constant, a level nobody knows."""
    n = len(table)
    x1, x2 = (table[name].to_numpy().copy() for name in ("x1", "x2"))
    x1[::10], x1[1], x1[2] = np.nan, np.inf, -np.inf
    k5 = table["k5"].to_pylist()
    k5[0], k5[1] = "unheard of", None
    changed = {"x1": pa.array(x1, from_pandas=True), "x2": pa.array(np.round(x2)), "x3": pa.array(np.full(n, 7.0))}
    changed["k5"] = pa.array(k5)
    for name, values in changed.items():
        table = table.set_column(table.column_names.index(name), name, values)
    return table


def _known(table: pa.Table, name: str) -> np.ndarray:
    values = table[name].to_numpy()
    known: np.ndarray = values[~np.isnan(values)]
    return known


def _psi(old: np.ndarray, new: np.ndarray) -> float:
    """Return the index by its definition: ten groups by the reference's deciles, one row added to each."""
    deciles = np.quantile(old[np.isfinite(old)], np.arange(1, 10) / 10, method="inverted_cdf")
    edges = np.unique(deciles)
    r, p = (np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1) for values in (old, new))
    shares_r, shares_p = (r + 1) / (r.sum() + len(r)), (p + 1) / (p.sum() + len(p))
    return float(np.sum((shares_p - shares_r) * np.log(shares_p / shares_r)))


def _chi_square_error(reference: pa.Table, window: pa.Table, name: str) -> float:
    old, new = ([level for level in table[name].to_pylist() if level is not None] for table in (reference, window))
    levels = sorted(set(old) | set(new))
    cells = np.array([[rows.count(level) for level in levels] for rows in (old, new)])
    ours, theirs = chi_square(cells[0], cells[1])[0], chi2_contingency(cells, correction=False).statistic
    return abs(ours - theirs) / max(1.0, theirs)


def _count(profile: ReferenceProfile, table: pa.Table) -> WindowCounts:
    return count_window(profile, table, np.zeros(len(table)))


def _changed_cells(profile: ReferenceProfile, window: pa.Table, whole: WindowCounts, rng: np.random.Generator) -> int:
    """Return how many cells differ when the rows come in another order, in parts of any size, an empty one too."""
    reader, wrong = Packing(profile), 0
    for _ in range(SPLITS):
        shuffled = window.take(rng.permutation(len(window)))
        cuts = [0, 0, *sorted(rng.integers(0, len(window), 5).tolist()), len(window)]
        parts = [_count(profile, shuffled.slice(a, b - a)) for a, b in pairwise(cuts)]
        merged = reader.unpack(merge(map(pack, parts)))
        pairs = zip((*merged.features, merged.prediction), (*whole.features, whole.prediction), strict=True)
        wrong += sum(int((mine.cells != its.cells).sum()) + (mine.n != its.n) for mine, its in pairs)
    return wrong


if __name__ == "__main__":
    answer_one(check)
