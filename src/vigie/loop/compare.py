"""Two versions that answered at the same time, weighed by the outcomes of their answers: an A/B read-out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vigie.domain.measurement import Measurement
from vigie.domain.schema import LARGEST_OUTCOME
from vigie.domain.window import Window
from vigie.errors import DataError
from vigie.evaluation.metrics import Scores, row_losses
from vigie.evaluation.sequences import LEAST_ROWS, AnytimeDifference, Sample, anytime_difference
from vigie.evaluation.value import PER, value_per_thousand
from vigie.loop.champion import OpenVersion
from vigie.loop.context import Loop
from vigie.loop.logged import labelled_of, labelled_part
from vigie.loop.register import LOSS_NAMES
from vigie.monitoring.performance import measure_coverage, measure_delay, measure_known
from vigie.ports import LoggedRows
from vigie.promotion.history import reigns
from vigie.reporting.wording import percent

LEVEL = 0.95
"""Share of comparisons in which every interval of the read-out covers the truth at every look."""

_WILD = 4 * LARGEST_OUTCOME**2
"""The squared error of the largest outcome and an answer of its size: beyond it a variance would overflow."""


@dataclass(frozen=True, slots=True)
class Side:
    """One version over the time in which both answered."""

    version: str
    metrics: tuple[Measurement, ...]
    coverage: Measurement
    delay: Measurement

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; never NaN."""
        return {
            "version": self.version,
            "metrics": [measurement.to_dict() for measurement in self.metrics],
            "coverage": self.coverage.to_dict(),
            "delay": self.delay.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class ReadOut:
    """What an A/B test says so far; it may be read as often as one likes, and stopped when it is settled.

    Attributes:
        window: from the moment both had answered to the last moment both did; None when there is none.
        first: one version.
        second: the other.
        loss: name of the row loss.
        difference: of the mean row losses, first minus second: above zero the second is better. None when there are
            too few outcomes.
        worth: of the mean value per thousand decisions, second minus first: above zero the second is better. None
            where nobody gives a value.
        unit: of ``worth``.
        better: the version that is better, None while it is not settled.
        reason: one sentence.
        turns: how often, in that time, one of them took the other's place as champion. Above zero the clock decided
            who answered, and the comparison is of times as much as of versions.
    """

    window: Window | None
    first: Side
    second: Side
    loss: str
    difference: AnytimeDifference | None
    worth: AnytimeDifference | None
    unit: str
    better: str | None
    reason: str
    turns: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; never NaN."""
        return {
            "window": self.window and self.window.to_dict(),
            "first": self.first.to_dict(),
            "second": self.second.to_dict(),
            "loss": self.loss,
            "difference": self.difference and self.difference.to_dict(),
            "worth": self.worth and {**self.worth.to_dict(), "unit": self.unit},
            "better": self.better,
            "reason": self.reason,
            "turns": self.turns,
        }


def compare(loop: Loop, first: OpenVersion, second: OpenVersion) -> ReadOut:
    """Weigh two versions by the outcomes of what they answered while both did.

    Who answered must have been decided at random, as a split or a canary does; that is not something a log can show.
    Rows of one entity count as one, because it stays with one version.

    Args:
        loop: ports and rules.
        first: one version.
        second: another; it must answer the same question.

    Raises:
        DataError: they answer different questions, or are the same version.
        StorageError: the log cannot be read.
    """
    if first.version == second.version:
        raise DataError(f"Version {first.version} cannot be compared with itself.", remedy="Name two versions.")
    if first.schema.target != second.schema.target:
        raise DataError(
            f"Versions {first.version} and {second.version} answer different questions.",
            remedy="Compare versions with the same target and the same classes.",
        )
    all_rows = [_answered(loop, opened) for opened in (first, second)]
    window = _together(all_rows)
    rows = [_within(part, window) for part in all_rows]
    task = first.schema.target.task
    read = [_side(loop, opened, part) for opened, part in zip((first, second), rows, strict=True)]
    (first_side, first_scores, first_units), (second_side, second_scores, second_units) = read
    level = LEVEL if loop.rules.value is None else (1 + LEVEL) / 2  # two intervals share what may go wrong
    losses = Sample(row_losses(first_scores, task), first_units), Sample(row_losses(second_scores, task), second_units)
    difference, absent = _difference(*losses, level)
    worth = _worth(loop, (second_scores, second_units), (first_scores, first_units), level)
    better, reason = _settle(window, first.version, second.version, difference or absent, LOSS_NAMES[task])
    return ReadOut(
        window=window,
        first=first_side,
        second=second_side,
        loss=LOSS_NAMES[task],
        difference=difference,
        worth=worth,
        unit=f"{loop.rules.value.unit}/{PER}" if loop.rules.value else "",
        better=better,
        reason=reason,
        turns=_turns(loop, window, {first.version, second.version}),
    )


def at_every_look(difference: AnytimeDifference) -> str:
    """Return how sure an interval is, e.g. ``at every look, 95 %``."""
    level = difference.interval.level
    return f"at every look, {percent(level, 0 if level == LEVEL else 1)}"


def _turns(loop: Loop, window: Window | None, versions: set[str]) -> int:
    """Count the changes of champion between the two in a window: the ledger knows what the log cannot show."""
    if window is None:
        return 0
    known = reigns(loop.ledger.events(loop.model))
    return sum(
        {before.version, after.version} == versions and window.start <= after.since <= window.end
        for before, after in pairwise(known)
    )


def _answered(loop: Loop, opened: OpenVersion) -> LoggedRows:
    """Return everything a version answered."""
    window = Window(datetime(1970, 1, 1, tzinfo=UTC), loop.clock.now())
    return loop.log.rows(loop.model, opened.schema, window, version=opened.version)


def _together(rows: Sequence[LoggedRows]) -> Window | None:
    """Return the time from the later of the first answers to the earlier of the last ones."""
    spans = [pc.min_max(part.records.column("at")).as_py() for part in rows]
    if any(span["min"] is None for span in spans):
        return None
    start, end = max(span["min"] for span in spans), min(span["max"] for span in spans)
    return Window(start, end) if start < end else None


def _within(rows: LoggedRows, window: Window | None) -> LoggedRows:
    if window is None:
        return LoggedRows(rows.features.slice(0, 0), rows.records.slice(0, 0))
    at = rows.records.column("at")
    start, end = (pa.scalar(moment, at.type) for moment in (window.start, window.end))
    inside = pc.and_(pc.greater_equal(at, start), pc.less_equal(at, end))
    return LoggedRows(rows.features.filter(inside), rows.records.filter(inside))


def _side(loop: Loop, opened: OpenVersion, rows: LoggedRows) -> tuple[Side, Scores, np.ndarray | None]:
    known = labelled_part(rows, opened.schema)
    scores, delays_s = labelled_of(known, opened.schema)
    value = loop.rules.value
    worth = (value_per_thousand(scores, value),) if value is not None else ()
    metrics = (*measure_known(scores, opened.schema.target.task), *worth) if len(scores) else ()
    side = Side(opened.version, metrics, measure_coverage(len(scores), rows.records.num_rows), measure_delay(delays_s))
    return side, scores, _units(known, opened)


def _units(rows: LoggedRows, opened: OpenVersion) -> np.ndarray | None:
    """Return whom each row is about; a row without an entity stands alone."""
    if opened.schema.entity is None:
        return None
    entities, ids = rows.records.column("entity"), rows.records.column("id")
    return np.asarray(pc.coalesce(entities, ids).to_pylist(), dtype=str)


def _difference(first: Sample, second: Sample, level: float) -> tuple[AnytimeDifference | None, str]:
    """Return the difference of the mean losses, or why there is none."""
    n_wild = sum(int(np.count_nonzero(side.values > _WILD)) for side in (first, second))
    if n_wild:
        are = "answer is" if n_wild == 1 else "answers are"
        return None, f"Cannot be settled: {n_wild:,} {are} so far from the outcome that the error has no variance."
    absent = f"Not enough outcomes yet: each version needs those of {LEAST_ROWS:,} rows or entities."
    return anytime_difference(first, second, level=level), absent


def _worth(
    loop: Loop,
    gained: tuple[Scores, np.ndarray | None],
    given_up: tuple[Scores, np.ndarray | None],
    level: float,
) -> AnytimeDifference | None:
    value = loop.rules.value
    if value is None:
        return None
    samples = [Sample(value.per_row(scores) * PER, units) for scores, units in (gained, given_up)]
    return anytime_difference(*samples, level=level)


def _settle(
    window: Window | None, first: str, second: str, difference: AnytimeDifference | str, loss: str
) -> tuple[str | None, str]:
    if window is None:
        return None, f"Versions {first} and {second} never answered at the same time: nothing can be compared."
    if isinstance(difference, str):
        return None, difference
    low, high = difference.interval.low, difference.interval.high
    figures = f"mean {loss} lower by {{:.4g}} [{{:.4g}}, {{:.4g}}; {at_every_look(difference)}]"
    if low > 0:
        return second, f"Version {second} is better than {first}: {figures.format(difference.mean, low, high)}."
    if high < 0:
        return first, f"Version {first} is better than {second}: {figures.format(-difference.mean, -high, -low)}."
    return None, f"Not settled yet. Version {second} against {first}: {figures.format(difference.mean, low, high)}."
