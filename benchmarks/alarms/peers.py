"""What others alarm on, recomputed from the same counts: the classical rules, and Evidently's defaults."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import chi2, kstwobign

from benchmarks.alarms.simulated import Drawn
from vigie.monitoring.cells import coarse_cells
from vigie.monitoring.columns import NumericColumn

LEVEL = 0.05
SHIFTED_PSI = 0.2
EVIDENTLY = 0.1
"""Evidently 0.7 above 1,000 rows of reference: Wasserstein over the standard deviation for numbers, Jensen-Shannon for
categories, both from 0.1 on; the dataset from half of the columns on."""

RULES = ("PSI > 0.2", "p < 0.05", "Bonferroni, each window", "Evidently, any column", "Evidently, the dataset")


def peer_alarms(table: Sequence[Drawn]) -> Mapping[str, np.ndarray]:
    """Return which windows alarm under each rule, shape (n_windows,)."""
    psi = np.array([_psi(drawn) for drawn in table])
    p_values = np.array([_p_values(drawn) for drawn in table])
    evidently = np.array([_evidently(drawn) >= EVIDENTLY for drawn in table])
    return {
        "PSI > 0.2": (psi > SHIFTED_PSI).any(axis=0),
        "p < 0.05": (p_values < LEVEL).any(axis=0),
        "Bonferroni, each window": (p_values < LEVEL / len(table)).any(axis=0),
        "Evidently, any column": evidently.any(axis=0),
        "Evidently, the dataset": evidently.mean(axis=0) >= 0.5,
    }


def _bins(drawn: Drawn) -> tuple[np.ndarray, np.ndarray]:
    column = drawn.column
    if isinstance(column, NumericColumn):
        starts = np.concatenate(([0], column.deciles + 1))
        return coarse_cells(column.counts.cells, column.deciles), np.add.reduceat(drawn.windows[:, :-1], starts, axis=1)
    return column.counts.cells[:-2], drawn.windows[:, :-2]


def _psi(drawn: Drawn) -> np.ndarray:
    reference, windows = _bins(drawn)
    r = (reference + 1) / (reference.sum() + len(reference))
    p = (windows + 1) / (windows.sum(axis=1, keepdims=True) + len(reference))
    total: np.ndarray = ((p - r) * np.log(p / r)).sum(axis=1)
    return total


def _p_values(drawn: Drawn) -> np.ndarray:
    column, n = drawn.column, int(drawn.windows[0].sum())
    m = column.counts.n
    effective = n * m / (n + m)
    if isinstance(column, NumericColumn):
        gaps = np.cumsum(drawn.windows[:, :-1], axis=1) / n - np.cumsum(column.counts.cells) / m
        return np.asarray(kstwobign.sf(np.abs(gaps).max(axis=1) * np.sqrt(effective)))
    reference, windows = _bins(drawn)
    pooled = (reference + windows) / (n + m)
    gaps = windows / n - reference / m
    terms = np.divide(gaps**2, pooled, out=np.zeros_like(gaps), where=pooled > 0)
    return np.asarray(chi2.sf(effective * terms.sum(axis=1), (pooled > 0).sum(axis=1) - 1))


def _evidently(drawn: Drawn) -> np.ndarray:
    column = drawn.column
    if isinstance(column, NumericColumn) and drawn.values is not None:
        n, inner = drawn.windows[0].sum(), np.clip(drawn.values, -4, 4)
        gaps = np.cumsum(drawn.windows[:, :-1], axis=1) / n - np.cumsum(column.counts.cells) / column.counts.n
        return np.asarray(np.abs(gaps[:, :-2]) @ np.diff(inner))
    reference, windows = _bins(drawn)
    r, p = reference / reference.sum(), windows / windows.sum(axis=1, keepdims=True)
    middle = (r + p) / 2
    divergence = (_kl(p, middle) + _kl(np.broadcast_to(r, p.shape), middle)) / 2
    return np.asarray(np.sqrt(np.maximum(divergence, 0)))


def _kl(p: np.ndarray, middle: np.ndarray) -> np.ndarray:
    ratio = np.divide(p, middle, out=np.ones_like(p), where=p > 0)
    total: np.ndarray = (p * np.log(ratio)).sum(axis=1)
    return total
