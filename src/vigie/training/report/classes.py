"""A classifier on held-out rows: how well it orders them, whether its probabilities are right, what it confuses."""

from typing import Final

import numpy as np

from vigie.domain.task import Task
from vigie.evaluation.calibration import Reliability, reliability
from vigie.evaluation.intervals import LEVEL, wilson
from vigie.evaluation.metrics import Scores, average_precision, positive_proba
from vigie.evaluation.thresholds import Sweep, confusion, sweep
from vigie.reporting.marks import Scale, chart, dots, line, rows, rule, spans, tiles, words
from vigie.reporting.parts import Figure, Section, Table
from vigie.reporting.theme import FIRST, INK, MUTED
from vigie.reporting.wording import NOTHING, count, measured, number, percent
from vigie.training.report.inputs import ReportInputs

_MOST_BINS: Final = 10
_ROWS_OF_A_BIN: Final = 20
_MOST_POINTS: Final = 250
"""Points drawn of a curve; the numbers beside it rest on all rows."""

_MOST_CLASSES: Final = 8
"""A confusion matrix with more classes is a table only."""


def classes(inputs: ReportInputs) -> Section:
    """Return ranking (binary), calibration and confusion of the winner."""
    scores = inputs.leaderboard.winner.test_scores
    ranking = _ranking(inputs, scores) if inputs.task is Task.BINARY else ()
    found = _reliability(inputs, scores)
    n_classes = len(inputs.dataset.schema.target.classes)
    matrix = (confusion_figure(inputs, scores, "confusion", "Confusion at a threshold of 0.5"
              if inputs.task is Task.BINARY else "Confusion of the likeliest class"),)  # fmt: skip
    return Section(
        anchor="classes",
        title="How does it err?",
        text=(
            *_ranking_text(inputs),
            (
                "A probability is right when, of the rows given 30 %, three in ten come true. The calibration error "
                "is the "
                "mean distance from that; on a sample it is never zero, so it stands beside what chance alone "
                "would show."
            ),
        ),
        figures=(*ranking, calibration_figure(inputs, found), *(matrix if n_classes <= _MOST_CLASSES else ())),
        tables=(_class_table(inputs, scores), _calibration_table(inputs, found)),
    )


def _ranking_text(inputs: ReportInputs) -> tuple[str, ...]:
    if inputs.task is not Task.BINARY:
        return ()
    return (
        (
            "The ROC curve asks how many positives are found for the false alarms accepted, whatever their share; the "
            "precision-recall curve asks how many of the alarms are right, and falls to the share of positives "
            "by chance."
        ),
    )


def _ranking(inputs: ReportInputs, scores: Scores) -> tuple[Figure, ...]:
    found = sweep(scores)
    if not found.n_positive or not found.n_negative:
        return ()
    return _roc(inputs, found), _precision_recall(inputs, found)


def _thinned(n: int) -> np.ndarray:
    found: np.ndarray = np.unique(np.linspace(0, n - 1, min(n, _MOST_POINTS)).round().astype(int))
    return found


def _roc(inputs: ReportInputs, found: Sweep) -> Figure:
    at, area = _thinned(len(found.thresholds)), measured(inputs.leaderboard.winner.measured("roc_auc"))
    corner = np.array([0.0, 1.0])
    layers = [
        line(rows(x=corner, y=corner), MUTED, width=1.2, dash=(4, 3)),
        line(rows(x=found.false_alarm_rate[at], y=found.recall[at]), FIRST),
    ]
    return Figure(
        name="roc",
        title="ROC curve",
        alt=f"Receiver operating characteristic; area {area}.",
        caption=f"Area: {area}. {inputs.held_out}, {found.n_positive:,} positive. Dashed: chance.",
        spec=chart(
            layers, _share_scale("false alarms, share of negatives"), _share_scale("recall, share of positives")
        ),
    )


def _precision_recall(inputs: ReportInputs, found: Sweep) -> Figure:
    at = _thinned(len(found.thresholds) - 1) + 1
    n = found.n_positive + found.n_negative
    base, area = found.n_positive / n, average_precision(inputs.leaderboard.winner.test_scores)
    layers = [rule(y=base, colour=MUTED), line(rows(x=found.recall[at], y=found.precision[at]), FIRST)]
    return Figure(
        name="precision_recall",
        title="Precision against recall",
        alt=f"Precision-recall curve; average precision {number(area)}, share of positives {number(base)}.",
        caption=f"Average precision: {area:.3f} on {inputs.held_out}. Dashed: the share of positives, "
        f"{percent(base, 1)}. At the left the curve rests on few rows.",
        spec=chart(layers, _share_scale("recall, share of positives"), _share_scale("precision, share of alarms")),
    )


def _share_scale(title: str) -> Scale:
    return Scale(title, domain=(0, 1), format=".0%")


def _reliability(inputs: ReportInputs, scores: Scores) -> Reliability:
    """Judge the positive class's probability, or with more classes that of the class that was answered."""
    if scores.proba is None:
        raise ValueError("a classifier's scores hold probabilities")
    n_bins = min(_MOST_BINS, max(2, len(scores) // _ROWS_OF_A_BIN))
    if inputs.task is Task.BINARY:
        return reliability(scores.y == 1, positive_proba(scores), n_bins=n_bins)
    return reliability(scores.predicted == scores.y, scores.proba.max(axis=1), n_bins=n_bins)


def calibration_figure(inputs: ReportInputs, found: Reliability) -> Figure:
    """Return said against came true, with the spread of what is said below it."""
    corner = np.array([0.0, 1.0])
    points = rows(
        x=[item.said for item in found.bins],
        y=[item.came_true for item in found.bins],
        low=[item.interval.low for item in found.bins],
        high=[item.interval.high for item in found.bins],
    )
    said = (
        "probability of " + str(inputs.dataset.schema.target.positive) if inputs.task is Task.BINARY else "confidence"
    )
    layers = [
        line(rows(x=corner, y=corner), MUTED, width=1.2, dash=(4, 3)),
        spans(points, FIRST, upright=True),
        line(points, FIRST, width=1.4),
        dots(points, FIRST, size=40),
    ]
    return Figure(
        name="calibration",
        title="Calibration: said against came true",
        alt="Said and came true: "
        + "; ".join(f"{percent(item.said)} and {percent(item.came_true)}" for item in found.bins),
        caption=f"Calibration error {found.error:.3f}; chance alone would show {found.error_by_chance:.3f}. "
        f"{inputs.held_out} in {count(len(found.bins), 'part')} of equal size, {percent(LEVEL)} intervals (Wilson).",
        spec=chart(layers, _share_scale(said), _share_scale("came true")),
    )


def confusion_figure(inputs: ReportInputs, scores: Scores, name: str, title: str) -> Figure:
    """Return the counts of true against predicted classes, shaded by the share of each true class."""
    labels = [str(label) for label in inputs.dataset.schema.target.classes]
    counts = confusion(scores, len(labels))
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    true, said = (part.ravel() for part in np.indices(counts.shape))
    data = rows(
        x=[labels[at] for at in said],
        y=[labels[at] for at in true],
        weight=0.06 + 0.6 * shares.ravel(),
        text=[
            f"{n:,} ({percent(share)})" if len(labels) <= 5 else f"{n:,}"
            for n, share in zip(counts.ravel(), shares.ravel(), strict=True)
        ],
    )
    across = Scale("predicted", kind="nominal", order=tuple(labels), limit=270 // len(labels))
    down = Scale("true", kind="nominal", order=tuple(labels), limit=110)
    return Figure(
        name=name,
        title=title,
        alt="; ".join(
            f"true {labels[i]}, predicted {labels[j]}: {counts[i, j]:,}" for i, j in zip(true, said, strict=True)
        ),
        caption=f"Rows, and in brackets their share of the true class. {inputs.held_out}.",
        spec=chart(
            [tiles(data, FIRST), words(data, INK, align="center", dx=0)], across, down, height=60 + 42 * len(labels)
        ),
    )


def _class_table(inputs: ReportInputs, scores: Scores) -> Table:
    labels = [str(label) for label in inputs.dataset.schema.target.classes]
    counts = confusion(scores, len(labels))
    lines = []
    for at, label in enumerate(labels):
        hit, said, true = int(counts[at, at]), int(counts[:, at].sum()), int(counts[at].sum())
        lines.append((label, f"{true:,}", f"{said:,}", share_text(hit, said), share_text(hit, true)))
    how = "called positive from 0.5 on" if inputs.task is Task.BINARY else "the likeliest class answered"
    return Table(
        caption=f"By class: {inputs.held_out}, {how}; {percent(LEVEL)} intervals (Wilson)",
        columns=("class", "rows", "answered", "precision", "recall"),
        rows=tuple(lines),
    )


def share_text(part: int, whole: int) -> str:
    """Return a share with its Wilson interval, or a dash of nothing."""
    if whole == 0:
        return NOTHING
    found = wilson(part, whole)
    return f"{percent(part / whole, 1)} ({100 * found.low:.1f} to {100 * found.high:.1f})"


def _calibration_table(inputs: ReportInputs, found: Reliability) -> Table:
    return Table(
        caption=f"Calibration of the {inputs.held_out}, {percent(LEVEL)} intervals (Wilson)",
        columns=("said, mean", "came true", "interval", "n"),
        rows=tuple(
            (
                percent(item.said, 1),
                percent(item.came_true, 1),
                f"{percent(item.interval.low, 1)} to {percent(item.interval.high, 1)}",
                f"{item.n:,}",
            )
            for item in found.bins
        ),
        n_text=0,
        folded=True,
    )
