"""A year of windows of one column, judged: the real rule, asked only where it could possibly alarm.

Judging every window of every simulated year by itself would take an hour. Merging cells never makes a chi-square
larger, so one look at the unmerged cells of all windows at once tells which of them cannot alarm. The others are given
to ``judge``, and only its verdict counts.
"""

from functools import lru_cache

import numpy as np
from scipy.stats import ncx2

from vigie.domain.measurement import Verdict
from vigie.monitoring.cells import coarse_cells, compare
from vigie.monitoring.columns import CategoryColumn, Column, ColumnCounts
from vigie.monitoring.grid import LevelCounts, NumberCounts
from vigie.monitoring.thresholds import TESTS, AlarmRule, judge, spend


def alarms_by_scale(
    column: Column, windows: np.ndarray, rule: AlarmRule, *, n_columns: int, scales: int = 9
) -> list[np.ndarray]:
    """Return which blocks alarm: one boolean array per scale, one entry per block.

    Args:
        column: the reference.
        windows: counts, shape (n_windows, n_cells): a number's nulls last, a category's as ``LevelCounts.cells``.
        rule: as it applies to this column.
        n_columns: how many columns share the budget.
        scales: how many at most.
    """
    found, blocks = [], windows
    for scale in range(scales):
        alphas = [
            spend(rule.false_alarm_budget, look=look, scale=scale, scales=rule.scales) / n_columns
            for look in range(1, len(blocks) + 1)
        ]
        found.append(alarms(column, blocks, rule, np.array(alphas), n_columns=n_columns))
        if len(blocks) < 2:
            break
        whole = len(blocks) // 2 * 2
        blocks = blocks[0:whole:2] + blocks[1:whole:2]
    return found


def any_alarm(by_scale: list[np.ndarray]) -> bool:
    """Whether anything alarmed at any time."""
    return any(bool(scale.any()) for scale in by_scale)


def twice(by_scale: list[np.ndarray]) -> bool:
    """Whether two blocks in a row alarmed at a scale."""
    return any(bool((scale[1:] & scale[:-1]).any()) for scale in by_scale)


def alarms(column: Column, blocks: np.ndarray, rule: AlarmRule, alphas: np.ndarray, *, n_columns: int) -> np.ndarray:
    """Return which blocks alarm, each at its own part of the budget; shape (n_blocks,)."""
    found = np.zeros(len(blocks), dtype=bool)
    for place in np.flatnonzero(_possible(column, blocks, rule, alphas)):
        judgement = judge(
            column, counts_of(column, blocks[place]), rule, alpha=float(alphas[place]), n_columns=n_columns
        )
        found[place] = judgement.verdict is Verdict.ALARM
    return found


def counts_of(column: Column, cells: np.ndarray) -> ColumnCounts:
    """Return one window's counts as the rule takes them."""
    if isinstance(column, CategoryColumn):
        return LevelCounts(cells)
    return NumberCounts(cells[:-1], int(cells[-1]), 0, 0, 0, np.nan, np.nan, np.full(len(cells) - 1, np.nan))


def _possible(column: Column, blocks: np.ndarray, rule: AlarmRule, alphas: np.ndarray) -> np.ndarray:
    sizes = blocks.sum(axis=1)
    if not len(blocks) or rule.strict or (sizes != sizes[0]).any() or sizes[0] < rule.min_rows:
        return np.ones(len(blocks), dtype=bool)
    comparison = compare(column, counts_of(column, blocks[0]))
    n, m = int(sizes[0]), int(comparison.reference.sum())
    effective = n * m / (n + m)
    reference, current, distance = _unmerged(column, blocks, m)
    # Nulls and unseen levels open or close a cell or two: fewer cells have the lower limit.
    degrees = max(1, len(comparison.reference) - 3)
    limits = _limits(tuple(alphas.tolist()), degrees, effective * rule.psi_margin)
    noise = np.sqrt(np.log(2 * TESTS / alphas) / (2 * effective))
    possible: np.ndarray = (_chi_squares(reference, current) > limits) | (distance > rule.distance_margin + noise)
    return possible


@lru_cache(maxsize=10_000)
def _limits(alphas: tuple[float, ...], degrees: int, noncentrality: float) -> np.ndarray:
    """Return ``chi_square_limit`` for all blocks in one call: sequences of a case share their limits."""
    return np.asarray(ncx2.isf(np.array(alphas) / TESTS, degrees, noncentrality))


def _unmerged(column: Column, blocks: np.ndarray, m: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return reference and blocks on the finest cells that the chi-square may merge, and a bound of the distance."""
    if isinstance(column, CategoryColumn):
        reference = column.odd.cells if m == column.odd.n else column.counts.cells
        gaps = blocks / blocks.sum(axis=1, keepdims=True) - reference / reference.sum()
        return reference, blocks, np.abs(gaps).sum(axis=1) / 2
    positions = np.union1d(column.deciles, column.spikes)
    reference = np.append(coarse_cells(column.counts.cells, positions), column.counts.missing)
    folded = np.add.reduceat(blocks[:, :-1], np.concatenate(([0], positions + 1)), axis=1)
    rows = blocks.sum(axis=1, keepdims=True)
    gaps = np.cumsum(blocks[:, :-1], axis=1) / rows - np.cumsum(column.counts.cells) / column.counts.n
    return reference, np.column_stack([folded, blocks[:, -1]]), np.abs(gaps).max(axis=1)


def _chi_squares(reference: np.ndarray, current: np.ndarray) -> np.ndarray:
    n, m = current.sum(axis=1, keepdims=True), reference.sum()
    pooled = (reference + current) / (n + m)
    gaps = current / n - reference / m
    terms = np.divide(gaps**2, pooled, out=np.zeros_like(gaps), where=pooled > 0)
    total: np.ndarray = (n * m / (n + m))[:, 0] * terms.sum(axis=1)
    return total
