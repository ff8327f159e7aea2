"""Where a model errs more than elsewhere: each level of a category and quartile of a number against all other rows."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import ttest_ind_from_stats

from vigie.domain.measurement import Measurement, digits, finite
from vigie.domain.schema import Feature, Kind, Schema
from vigie.evaluation.intervals import measured
from vigie.evaluation.metrics import METRICS, ROW_LOSS, Scores, row_losses

FEWEST_ROWS = 30
"""Smaller segments are not judged: a mean of losses needs rows before a normal interval fits it."""

_MOST_VALUES = 6
"""A number with no more distinct values than this is cut at each of them, others at their quartiles."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Rows that share something, and how the model does on them.

    Attributes:
        feature: what they share.
        level: which value or range of it, as text.
        loss: the row loss's metric on them (RMSE or log-loss), with its interval and n.
        elsewhere: the same metric on all other rows, with its interval and n.
        p: of equal mean loss here and elsewhere (Welch), two-sided, corrected for all segments looked at (Holm).
    """

    feature: str
    level: str
    loss: Measurement
    elsewhere: Measurement
    p: float

    @property
    def excess(self) -> float:
        """By how much the loss is higher here than elsewhere."""
        return (self.loss.value or 0.0) - (self.elsewhere.value or 0.0)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; never NaN."""
        return {
            "feature": self.feature,
            "level": self.level,
            "loss": self.loss.to_dict(),
            "elsewhere": self.elsewhere.to_dict(),
            "p": finite(self.p),
        }


def by_segment(schema: Schema, frame: pd.DataFrame, scores: Scores) -> tuple[Segment, ...]:
    """Return every segment with at least 30 rows inside and outside, the worst first.

    A quartile holds its upper end. Segments overlap; Holm's correction holds whatever their dependence. A high loss may
    come from outcomes that are hard to tell there, not from a model that is unfair.

    Args:
        schema: the features.
        frame: shape (n, n_features), rows that the predicting model did not learn from.
        scores: what was predicted of them, in the same order.

    Source:
        Holm (1979), A simple sequentially rejective multiple test procedure.
    """
    task = schema.target.task
    metric, losses = METRICS[ROW_LOSS[task]], row_losses(scores, task)
    found: list[Segment] = []
    raw: list[float] = []
    for feature in schema.features:
        for level, mask in levels(feature, frame[feature.name].to_numpy()):
            n_inside = int(mask.sum())
            if min(n_inside, len(losses) - n_inside) < FEWEST_ROWS:
                continue
            loss = measured(metric, scores.take(mask), subject=f"{feature.name}: {level}")
            elsewhere = measured(metric, scores.take(~mask), subject=f"not {feature.name}: {level}")
            found.append(Segment(feature.name, level, loss, elsewhere, p=1.0))
            raw.append(_welch(losses[mask], losses[~mask]))
    corrected = holm(np.array(raw))
    judged = [replace(item, p=float(p)) for item, p in zip(found, corrected, strict=True)]
    return tuple(sorted(judged, key=lambda item: item.excess, reverse=True))


def holm(p: np.ndarray) -> np.ndarray:
    """Return p-values corrected so that one false finding among all has at most the stated probability.

    Args:
        p: shape (k,), in [0, 1].
    """
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)) if len(p) else p
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(stepped, 1.0)
    return corrected


@np.errstate(over="ignore", invalid="ignore")  # where an error has no square there is no p, and no segment is named
def _welch(inside: np.ndarray, outside: np.ndarray) -> float:
    """Return the two-sided p of equal means; 1 where neither side varies and they are equal."""
    spread = inside.std(ddof=1), outside.std(ddof=1)
    if max(spread) == 0:
        return 1.0 if inside.mean() == outside.mean() else 0.0
    found = ttest_ind_from_stats(
        inside.mean(), spread[0], len(inside), outside.mean(), spread[1], len(outside), equal_var=False
    )
    return float(found.pvalue)


def levels(
    feature: Feature, column: np.ndarray, *, counted: np.ndarray | None = None
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the name of each level of a column, or of each quarter of a number, with a mask of its rows.

    Args:
        feature: what the column is.
        column: shape (n,), None or NaN for missing.
        counted: rows that say which levels are large enough and where quarters end, bool, shape (n,); None for all.
            Every row is in a level, counted or not.
    """
    missing = pd.isna(column)
    counted = ~missing if counted is None else counted & ~missing
    if missing.any():
        yield "missing", missing
    if not feature.kind.is_numeric:
        yield from _categories(column, missing, counted)
        return
    values = column.astype(np.float64)
    distinct = np.unique(values[~missing])
    if len(distinct) <= _MOST_VALUES:
        for value in distinct:
            yield _value_text(feature, float(value)), values == value
        return
    inner = np.quantile(values[counted], [0.25, 0.5, 0.75]) if counted.any() else ()
    edges = np.unique([distinct[0], *inner, distinct[-1]])
    for number, (low, high) in enumerate(pairwise(edges)):
        above = values >= low if number == 0 else values > low
        opening = "" if number == 0 else "over "  # 2 to 3 would be read as holding the 2
        yield f"{opening}{digits(low)} to {digits(high)}", above & (values <= high)


def _categories(column: np.ndarray, missing: np.ndarray, counted: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Yield each level with enough counted rows, then all rarer ones together."""
    names, counts = np.unique(column[counted].astype(str), return_counts=True)
    rare = ~missing
    for name in names[counts >= FEWEST_ROWS]:
        mask = column == name
        rare = rare & ~mask
        yield str(name), mask
    if rare.any():
        yield f"{len(np.unique(column[rare].astype(str))):,} rarer levels", rare


def _value_text(feature: Feature, value: float) -> str:
    if feature.kind is Kind.BOOLEAN:
        return "true" if value else "false"
    return f"{value:,.6g}"
