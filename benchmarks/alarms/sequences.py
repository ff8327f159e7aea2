"""A year of windows of one column, judged: the real rule, asked only where it could possibly alarm.

Judging every window of every simulated year by itself would take an hour. Merging cells never makes a chi-square
larger, so one look at the unmerged cells of all windows at once tells which of them cannot alarm. The others are given
to ``judge``, and only its verdict counts.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby

import numpy as np
from scipy.stats import ncx2

from vigie.domain.measurement import Verdict
from vigie.monitoring.cells import coarse_cells, compare
from vigie.monitoring.columns import CategoryColumn, Column, ColumnCounts
from vigie.monitoring.grid import LevelCounts, NumberCounts
from vigie.monitoring.thresholds import TESTS, AlarmRule, judge, spend


def alarms_by_scale(column: Column, windows: np.ndarray, rule: AlarmRule, *, n_columns: int) -> list[np.ndarray]:
    """Return which blocks alarm: one boolean array per scale, one entry per block.

    Args:
        column: the reference.
        windows: counts, shape (n_windows, n_cells): a number's nulls last, a category's as ``LevelCounts.cells``.
        rule: as it applies to this column.
        n_columns: how many columns share the budget.
    """
    blocks = _doubled(windows, rule.scales)
    levels = [_levels(rule, len(these), scale, n_columns) for scale, these in enumerate(blocks)]
    found = [np.zeros(len(these), dtype=bool) for these in blocks]
    for scale, possible in enumerate(_possible(column, blocks, rule, levels)):
        for place in np.flatnonzero(possible):
            counts, alpha = counts_of(column, blocks[scale][place]), float(levels[scale][place])
            judgement = judge(column, counts, rule, alpha=alpha, n_columns=n_columns)
            found[scale][place] = judgement.verdict is Verdict.ALARM
    return found


def any_alarm(by_scale: list[np.ndarray]) -> bool:
    """Whether anything alarmed at any time."""
    return any(bool(scale.any()) for scale in by_scale)


def twice(by_scale: list[np.ndarray]) -> bool:
    """Whether two blocks in a row alarmed at a scale."""
    return any(bool((scale[1:] & scale[:-1]).any()) for scale in by_scale)


def counts_of(column: Column, cells: np.ndarray) -> ColumnCounts:
    """Return one window's counts as the rule takes them."""
    if isinstance(column, CategoryColumn):
        return LevelCounts(cells)
    return NumberCounts(cells[:-1], int(cells[-1]), 0, 0, 0, np.nan, np.nan, np.full(len(cells) - 1, np.nan))


def _doubled(windows: np.ndarray, scales: int) -> list[np.ndarray]:
    """Return the windows, their pairs, fours and so on, as long as there is one."""
    blocks = [windows]
    while len(blocks) < scales and len(blocks[-1]) > 1:
        last = blocks[-1]
        whole = len(last) // 2 * 2
        blocks.append(last[0:whole:2] + last[1:whole:2])
    return blocks


@lru_cache(maxsize=10_000)
def _levels(rule: AlarmRule, n_blocks: int, scale: int, n_columns: int) -> np.ndarray:
    looks = range(1, n_blocks + 1)
    budget = rule.false_alarm_budget
    return np.array([spend(budget, look=look, scale=scale, scales=rule.scales) / n_columns for look in looks])


def _possible(
    column: Column, blocks: Sequence[np.ndarray], rule: AlarmRule, levels: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """Return which blocks may alarm, per scale: all of them where that cannot be told at once."""
    sizes = [these.sum(axis=1) for these in blocks]
    if not len(blocks[0]) or rule.strict or sizes[0].min() < rule.min_rows or sizes[0].min() != sizes[0].max():
        return [np.ones(len(these), dtype=bool) for these in blocks]
    # The more rows, the more cells a number has: those of single windows will do for all.
    asked = blocks if isinstance(column, CategoryColumn) else blocks[:1]
    firsts = [compare(column, counts_of(column, these[0])) for these in asked]
    compared = [(int(first.reference.sum()), len(first.reference)) for first in firsts]
    compared += compared[:1] * (len(blocks) - len(compared))
    found = []
    # The rows compared are those of the whole reference or of half of it, as a block's size asks for.
    for m, group in groupby(range(len(blocks)), key=lambda scale: compared[scale][0]):
        scales = list(group)
        # Nulls and unseen levels open or close a cell or two: fewer cells have the lower limit.
        degrees = max(1, min(compared[scale][1] for scale in scales) - 3)
        sized = tuple((int(sizes[scale][0]), len(blocks[scale]), scale) for scale in scales)
        alphas = np.concatenate([levels[scale] for scale in scales])
        limits, distances = _limits(rule, tuple(alphas.tolist()), degrees, m, sized)
        reference, current, distance = _unmerged(column, np.concatenate([blocks[scale] for scale in scales]), m)
        possible = (_chi_squares(reference, current) > limits) | (distance > distances)
        found.extend(np.split(possible, np.cumsum([len(blocks[scale]) for scale in scales])[:-1]))
    return found


@lru_cache(maxsize=10_000)
def _limits(
    rule: AlarmRule, alphas: tuple[float, ...], degrees: int, m: int, sized: tuple[tuple[int, int, int], ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Return where both tests begin to alarm, block by block: sequences of a case share them."""
    n = np.concatenate([np.full(n_blocks, rows, dtype=np.float64) for rows, n_blocks, _ in sized])
    effective, level = n * m / (n + m), np.array(alphas)
    noise = np.sqrt(np.log(2 * TESTS / level) / (2 * effective))
    return np.asarray(ncx2.isf(level / TESTS, degrees, effective * rule.psi_margin)), rule.distance_margin + noise


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
