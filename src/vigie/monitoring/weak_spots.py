"""Where the model errs more than elsewhere: the segments that somebody declared, and the worst of all others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from vigie.domain.measurement import Measurement
from vigie.domain.schema import Schema
from vigie.errors import ConfigurationError, nearest
from vigie.evaluation.intervals import measure
from vigie.evaluation.metrics import Scores
from vigie.evaluation.segments import Segment, by_segment, levels

MOST = 5
"""Weak spots that are told: a longer list is read by nobody."""

LEVEL = 0.05
"""Probability that any segment is called weak where all are alike (Holm, over all segments looked at)."""


@dataclass(frozen=True, slots=True)
class DeclaredSegment:
    """A level of a column that somebody wants watched; levels of fewer than thirty rows are told together."""

    feature: str
    level: str
    metrics: tuple[Measurement, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; never NaN."""
        return {
            "feature": self.feature,
            "level": self.level,
            "metrics": [measurement.to_dict() for measurement in self.metrics],
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


def check_segments(schema: Schema, declared: Sequence[str]) -> None:
    """Do nothing when every declared segment is a feature.

    Raises:
        ConfigurationError: one is not.
    """
    for name in declared:
        if name not in schema.names:
            remedy = nearest(name, schema.names).strip() or f"Use some of {', '.join(schema.names)}."
            raise ConfigurationError(f"The model has no feature {name!r}.", remedy=remedy, key="monitoring.segments")


def find_weak_spots(schema: Schema, frame: pd.DataFrame, scores: Scores, declared: Sequence[str]) -> SegmentReport:
    """Measure the declared segments and search all others.

    Args:
        schema: the features.
        frame: of the rows whose outcome is known, shape (n, n_features), n at least 1.
        scores: the same rows, in the same order.
        declared: names of features.

    Raises:
        ConfigurationError: a declared segment is no feature.
    """
    check_segments(schema, declared)
    found = by_segment(schema, frame, scores)
    worst = [item for item in found if item.p <= LEVEL and _is_spot(item, len(scores))]
    return SegmentReport(_declared(schema, frame, scores, declared), tuple(worst[:MOST]), len(found))


def _is_spot(segment: Segment, n: int) -> bool:
    """Whether a segment is worse than the rest, and is not itself most of the rows: then the rest is the exception."""
    return segment.loss.value is not None and segment.loss.value > segment.elsewhere and 2 * segment.loss.n <= n


def _declared(
    schema: Schema, frame: pd.DataFrame, scores: Scores, declared: Sequence[str]
) -> tuple[DeclaredSegment, ...]:
    features = {feature.name: feature for feature in schema.features}
    return tuple(
        DeclaredSegment(name, level, measure(scores.take(mask), schema.target.task))
        for name in declared
        for level, mask in levels(features[name], frame[name].to_numpy())
    )
