"""The alarm rule tried on the reference itself: one half stands for the training data, windows are cut from the other.

Where rows are independent, what alarms here is a false alarm. Where they follow each other in time, it is what an
ordinary stretch of the past would have raised.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from vigie.domain.measurement import Verdict
from vigie.domain.schema import Schema
from vigie.monitoring.blocks import blocks_ending, windows_needed
from vigie.monitoring.columnwise import ColumnVerdict, Judged, judge_column
from vigie.monitoring.counts import WindowCounts, count_window
from vigie.monitoring.profile import ReferenceProfile, build_profile
from vigie.monitoring.thresholds import AlarmRule
from vigie.reporting.wording import count


@dataclass(frozen=True, slots=True)
class Replay:
    """What the rule said of windows in which nothing was known to have changed.

    Attributes:
        rows: per window.
        n_windows: how many were cut.
        n_reference: rows they were compared with.
        alarmed: windows in which any column alarmed.
        confirmed: windows in which an alarm was confirmed, and somebody would have been told.
        unknown: windows in which no column could be judged; they are not among those that raised no alarm.
        columns: how many windows each column alarmed in, those that ever did.
        in_time_order: whether the windows followed each other in time; else rows were taken at random.
        why_unknown: why the first of the windows that could not be judged could not; empty when all could.
    """

    rows: int
    n_windows: int
    n_reference: int
    alarmed: int
    confirmed: int
    unknown: int
    columns: dict[str, int]
    in_time_order: bool
    why_unknown: str = ""

    @property
    def judged(self) -> int:
        """How many windows could be judged."""
        return self.n_windows - self.unknown

    @property
    def sentence(self) -> str:
        """Say it in one line."""
        if not self.n_windows:
            return f"Not replayed: half of {2 * self.n_reference:,} rows hold no window of {self.rows:,}."
        how = "in order of time" if self.in_time_order else "at random"
        replayed = f"replayed {how} on one half of the reference against the other"
        long = f"of {count(self.rows, 'row')}"
        if not self.judged:
            return f"None of {count(self.n_windows, 'window')} {long} could be judged, {replayed}. {self.why_unknown}"
        could = f" that could be judged (of {self.n_windows})" if self.unknown else ""
        why = f" The others could not: {self.why_unknown}" if self.unknown else ""
        return (
            f"{self.alarmed} of {count(self.judged, 'window')} {long}{could} raised a drift alarm ({self.confirmed} "
            f"confirmed), {replayed}.{why}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "rows": self.rows,
            "windows": self.n_windows,
            "reference_rows": self.n_reference,
            "alarmed": self.alarmed,
            "confirmed": self.confirmed,
            "unknown": self.unknown,
            "why_unknown": self.why_unknown,
            "columns": dict(self.columns),
            "in_time_order": self.in_time_order,
            "sentence": self.sentence,
        }


@dataclass(frozen=True, slots=True, eq=False)
class ReplayRows:
    """Rows that hold no change that anybody knows of.

    Attributes:
        schema: names and kinds.
        frame: from ``domain.frame.model_frame``, shape (n, n_features).
        predicted: what the model says of them, in the terms of ``build_profile``; shape (n,).
        in_time_order: whether they follow each other in time.
    """

    schema: Schema
    frame: pd.DataFrame
    predicted: np.ndarray
    in_time_order: bool


def replay(given: ReplayRows, rule: AlarmRule, *, rows: int, most_windows: int, rng: np.random.Generator) -> Replay:
    """Judge windows of one half of the rows against the other half, look by look, as production would have.

    Args:
        given: the rows. In order of time the earlier half is the reference; else the halves are drawn at random.
        rule: the alarm rule.
        rows: per window, at least 1.
        most_windows: how many are judged at most.
        rng: draws the halves.
    """
    n = len(given.frame)
    order = np.arange(n) if given.in_time_order else rng.permutation(n)
    half = n // 2
    frame, predicted = given.frame.iloc[order], given.predicted[order]
    own = build_profile(given.schema, frame.iloc[:half], predicted[:half], in_time_order=given.in_time_order)
    starts = range(half, n - rows + 1, rows)[:most_windows]
    windows = [count_window(own, frame.iloc[at : at + rows], predicted[at : at + rows]) for at in starts]
    found = judge_windows(own, windows, rule)
    alarmed = [{name for name, said in window.items() if said.verdict is Verdict.ALARM} for window in found]
    names = sorted(set().union(*alarmed))
    unknown = [window for window in found if all(said.verdict is Verdict.UNKNOWN for said in window.values())]
    return Replay(
        rows=rows,
        n_windows=len(windows),
        n_reference=half,
        alarmed=sum(map(bool, alarmed)),
        confirmed=sum(any(said.confirmed for said in window.values()) for window in found),
        unknown=len(unknown),
        columns={name: sum(name in window for window in alarmed) for name in names},
        in_time_order=given.in_time_order,
        why_unknown=next((said.reason for window in unknown for said in window.values()), ""),
    )


def judge_windows(
    profile: ReferenceProfile, windows: Sequence[WindowCounts], rule: AlarmRule
) -> list[dict[str, ColumnVerdict]]:
    """Return what the rule says of windows that follow each other, by column, the first at look 1."""
    columns = profile.columns
    wandering = profile.wander or (None,) * len(columns)
    judged = [
        Judged(column, place, wander, profile.rows)
        for place, (column, wander) in enumerate(zip(columns, wandering, strict=True))
    ]
    found = []
    for look, window in enumerate(windows, start=1):
        past = windows[look - 1 - windows_needed(look) : look - 1]
        blocks = blocks_ending(window, past, look=look)
        found.append({one.column.name: judge_column(one, blocks, rule, n_columns=len(columns)) for one in judged})
    return found
