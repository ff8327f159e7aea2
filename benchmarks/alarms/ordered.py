"""Flights inside one month in order of time: rows that are not independent, so that nothing is promised but measured.

Half of a month's days, taken at random, are the reference; the other half is cut into windows. There is no drift but
what the days of a month do by themselves.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from benchmarks.alarms.sequences import alarms_by_scale, any_alarm, counts_of, twice
from benchmarks.alarms.tables import RealColumn, columns_of
from vigie.monitoring.cells import compare
from vigie.monitoring.columns import Column
from vigie.monitoring.drift.chi_square import chi_square, chi_square_p
from vigie.monitoring.thresholds import AlarmRule
from vigie.monitoring.wander import Wander, wander_of

SCHEDULE = ("hour", "weekday", "sched_dep_time", "origin", "dest", "carrier", "tailnum", "flight", "distance")
"""What is known of a flight when it is planned: calm within a month, but for the calendar."""

CALENDAR = ("hour", "weekday", "sched_dep_time")
DAY = 0
"""In the place of a number of rows: windows are whole days."""

RULES = (
    "corrected rule, all columns",
    "without calendar columns",
    "margins of 0.1",
    "natural margin",
    "natural margin, two in a row",
    "Bonferroni, no calendar columns",
)


@dataclass(frozen=True, slots=True, eq=False)
class _Watched:
    column: Column
    windows: np.ndarray
    wander: Wander
    n_reference: int


def splits(
    flights: pd.DataFrame, rng: np.random.Generator, *, per_month: int
) -> Iterator[tuple[pd.DataFrame, np.ndarray]]:
    """Yield months in order of time, each with its days of reference as a mask of rows."""
    for _, month in flights.groupby("month", sort=True):
        rows = month.sort_values("time_hour", kind="stable").reset_index(drop=True)
        days = rows["day"].to_numpy()
        for _ in range(per_month):
            chosen = rng.permutation(np.unique(days))
            yield rows, np.isin(days, chosen[: len(chosen) // 2])


def measure_split(rows: pd.DataFrame, is_reference: np.ndarray, rule: AlarmRule, *, n: int) -> Mapping[str, bool]:
    """Return whether each rule ever alarmed in the windows of one split.

    Args:
        rows: a month in order of time.
        is_reference: which of them are the reference, shape (n_rows,).
        rule: budget and margins.
        n: rows per window; ``DAY`` for whole days.
    """
    own = np.flatnonzero(is_reference)
    windows = _windows(rows, np.flatnonzero(~is_reference), n)
    watched = {column.name: _watch(column, own, windows) for column in columns_of(rows[list(SCHEDULE)])}
    calm = {name: each for name, each in watched.items() if name not in CALENDAR}
    wide = replace(rule, psi_margin=0.1, distance_margin=0.1)
    natural = [_by_scale(each, _widened(each, rule), len(calm)) for each in calm.values()]
    return {
        RULES[0]: any(any_alarm(_by_scale(each, rule, len(watched))) for each in watched.values()),
        RULES[1]: any(any_alarm(_by_scale(each, rule, len(calm))) for each in calm.values()),
        RULES[2]: any(any_alarm(_by_scale(each, wide, len(calm))) for each in calm.values()),
        RULES[3]: any(any_alarm(found) for found in natural),
        RULES[4]: any(twice(found) for found in natural),
        RULES[5]: _bonferroni(list(calm.values())),
    }


def _windows(rows: pd.DataFrame, others: np.ndarray, n: int) -> list[np.ndarray]:
    if n != DAY:
        return [others[start : start + n] for start in range(0, len(others) - n + 1, n)]
    days = rows["day"].to_numpy()[others]
    return [others[days == day] for day in np.unique(days)]


def _watch(column: RealColumn, own: np.ndarray, windows: Sequence[np.ndarray]) -> _Watched:
    reference = column.summarised(own)
    values = column.data[own]
    if column.levels is not None:
        texts = np.array([*column.levels, None], dtype=object)
        values = texts[values]
    return _Watched(reference, column.counted(reference, windows), wander_of(reference, values), len(own))


def _widened(watched: _Watched, rule: AlarmRule) -> AlarmRule:
    # One margin for all scales, that of single windows: merged blocks, which wander less, are judged more leniently.
    return rule.widened(watched.wander.at(int(np.median(watched.windows.sum(axis=1)))))


def _by_scale(watched: _Watched, rule: AlarmRule, n_columns: int) -> list[np.ndarray]:
    return alarms_by_scale(watched.column, watched.windows, rule, n_columns=n_columns)


def _bonferroni(watched: Sequence[_Watched]) -> bool:
    level = 0.05 / len(watched)
    for each in watched:
        for cells in each.windows:
            comparison = compare(each.column, counts_of(each.column, cells))
            if chi_square_p(*chi_square(comparison.reference, comparison.current)) < level:
                return True
    return False
