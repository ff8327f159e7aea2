"""Where the model errs more than elsewhere: the segments that somebody declared, and the worst of all others."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from vigie.domain.measurement import Measurement
from vigie.domain.schema import Schema
from vigie.evaluation.metrics import Scores
from vigie.evaluation.segments import Segment, by_segment, levels
from vigie.monitoring.performance import measure_coverage, measure_delay, measure_known, unmeasured

MOST = 5
"""Weak spots that are told: a longer list is read by nobody."""

LEVEL = 0.05
"""Probability that any segment is called weak where all are alike (Holm, over all segments looked at)."""


@dataclass(frozen=True, slots=True)
class AskedRows:
    """What was asked in a window, whether its outcome is known or not.

    Attributes:
        frame: features, shape (n, n_features).
        known: which of them have an outcome, bool, shape (n,).
    """

    frame: pd.DataFrame
    known: np.ndarray


@dataclass(frozen=True, slots=True)
class DeclaredSegment:
    """A level of a column that somebody wants watched; levels of fewer than thirty rows are told together.

    Attributes:
        feature: the column.
        level: which value or range of it, as text.
        metrics: on the outcomes that are judged.
        coverage: share of the window's own predictions of this level whose outcome is known.
        delay: median seconds from prediction to outcome of those that are judged.
    """

    feature: str
    level: str
    metrics: tuple[Measurement, ...]
    coverage: Measurement
    delay: Measurement

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; never NaN."""
        return {
            "feature": self.feature,
            "level": self.level,
            "metrics": [measurement.to_dict() for measurement in self.metrics],
            "coverage": self.coverage.to_dict(),
            "delay": self.delay.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class SegmentReport:
    """Performance by segment.

    Attributes:
        declared: every level of the declared columns.
        worst: segments that are worse than the rest by more than chance explains, the worst first, at most ``MOST``.
        looked_at: how many segments were compared; the correction is for all of them.
    """

    declared: tuple[DeclaredSegment, ...] = ()
    worst: tuple[Segment, ...] = ()
    looked_at: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; never NaN."""
        return {
            "declared": [segment.to_dict() for segment in self.declared],
            "worst": [segment.to_dict() for segment in self.worst],
            "looked_at": self.looked_at,
        }


NO_SEGMENTS = SegmentReport()
"""What is told by segment where no outcome is known."""


def find_weak_spots(
    schema: Schema,
    frame: pd.DataFrame,
    scores: Scores,
    declared: Sequence[str],
    *,
    delays_s: np.ndarray | None = None,
    asked: AskedRows | None = None,
) -> SegmentReport:
    """Measure the declared segments and search all others.

    Args:
        schema: the features.
        frame: of the rows whose outcome is judged, shape (n, n_features), n at least 1.
        scores: the same rows, in the same order.
        declared: names of features; one that the model does not have is passed over.
        delays_s: seconds from prediction to outcome of the same rows, NaN where not known; None when none is.
        asked: the window's own predictions, for the coverage of declared segments; None where nobody looked.
    """
    found = by_segment(schema, frame, scores)
    worst = [item for item in found if item.p <= LEVEL and _is_spot(item, len(scores))]
    delays_s = np.full(len(scores), np.nan) if delays_s is None or not len(delays_s) else delays_s
    asked = asked or AskedRows(frame.iloc[:0], np.empty(0, dtype=bool))
    n_asked, task = len(asked.known), schema.target.task
    segments = tuple(
        DeclaredSegment(
            name,
            level,
            measure_known(scores.take(judged), task) if judged.any() else unmeasured(task),
            measure_coverage(int(asked.known[inside].sum()), int(inside.sum())),
            measure_delay(delays_s[judged]),
        )
        for name in declared
        if name in schema.names
        for level, mask in _levels(schema, name, asked, frame)
        for inside, judged in ((mask[:n_asked], mask[n_asked:]),)
    )
    return SegmentReport(segments, tuple(worst[:MOST]), len(found))


def _is_spot(segment: Segment, n: int) -> bool:
    """Whether a segment is worse than the rest, and is not itself most of the rows: then the rest is the exception."""
    return segment.excess > 0 and 2 * segment.loss.n <= n


def _levels(schema: Schema, name: str, asked: AskedRows, judged: pd.DataFrame) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the levels of a column over what was asked and what is judged, in this order: both mean the same then.

    What was asked and has an outcome is judged as well, now or before: it does not count twice.
    """
    (feature,) = (feature for feature in schema.features if feature.name == name)
    column = pd.concat([asked.frame[name], judged[name]]) if len(asked.known) else judged[name]
    return levels(feature, column.to_numpy(), counted=np.concatenate([~asked.known, np.ones(len(judged), dtype=bool)]))
