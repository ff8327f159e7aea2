"""How whole a window's columns are: what is missing, never seen before, or outside what training saw."""

from math import hypot

from vigie.domain.measurement import Interval, Measurement
from vigie.evaluation.intervals import wilson
from vigie.monitoring.columns import CategoryColumn, Column, ColumnCounts
from vigie.monitoring.grid import LevelCounts, NumberCounts


def measure_quality(column: Column, counts: ColumnCounts) -> tuple[Measurement, ...]:
    """Return a column's shares of bad rows, each with Wilson's interval.

    Args:
        column: the reference.
        counts: a window on its grid; may be empty.

    Returns:
        ``missing`` of all rows, how much more that is than in the reference, then, of the rows that hold a value,
        ``outside_range`` (numeric) or ``unseen`` (categorical). A share of no row has no value, and says so.
    """
    measured = [_share("missing", column.name, counts.missing, counts.n), _missing_change(column, counts)]
    if isinstance(counts, NumberCounts):
        if column.counts.known:
            measured.append(_share("outside_range", column.name, counts.below + counts.above, counts.known))
        else:
            reason = "The reference holds no value of this column, so there is no range."
            measured.append(Measurement("outside_range", None, "1", counts.known, subject=column.name, reason=reason))
    if isinstance(counts, LevelCounts) and isinstance(column, CategoryColumn):
        measured.append(_unseen(column, counts))
    return tuple(measured)


def _missing_change(column: Column, counts: ColumnCounts) -> Measurement:
    """Return the change of the share of missing rows, with an interval made of both shares' own.

    Source:
        Newcombe (1998), Interval estimation for the difference between independent proportions, method 10.
    """
    name, reference = "missing_change", column.counts
    if not counts.n or not reference.n:
        reason = "There is no row to take a share of."
        return Measurement(name, None, "1", counts.n, subject=column.name, reason=reason)
    now, then = counts.missing / counts.n, reference.missing / reference.n
    now_ends, then_ends = wilson(counts.missing, counts.n), wilson(reference.missing, reference.n)
    low = now - then - hypot(now - now_ends.low, then_ends.high - then)
    high = now - then + hypot(now_ends.high - now, then - then_ends.low)
    interval = Interval(low, high, now_ends.level)
    return Measurement(name, now - then, "1", counts.n, subject=column.name, interval=interval)


def _unseen(column: CategoryColumn, counts: LevelCounts) -> Measurement:
    if column.counts.other:
        reason = f"The profile keeps the {len(column.levels):,} commonest levels; rarer ones look unseen."
        return Measurement("unseen", None, "1", counts.known, subject=column.name, reason=reason)
    return _share("unseen", column.name, counts.other, counts.known)


def _share(name: str, subject: str, rows: int, n: int) -> Measurement:
    if n == 0:
        return Measurement(name, None, "1", 0, subject=subject, reason="There is no row to take a share of.")
    return Measurement(name, rows / n, "1", n, subject=subject, interval=wilson(rows, n))
