"""Where the model errs more than elsewhere, over all rows that were predicted by a model that had not seen them."""

from typing import Final

import numpy as np

from vigie.evaluation.intervals import LEVEL
from vigie.evaluation.metrics import METRICS, ROW_LOSS
from vigie.evaluation.segments import FEWEST_ROWS, Segment, by_segment
from vigie.reporting.marks import Scale, chart, dots, rows, rule, spans
from vigie.reporting.parts import Figure, Section, Table
from vigie.reporting.theme import FIRST, MUTED, SECOND
from vigie.reporting.wording import cell, count, labels, metric_name, number, opening, p_text, percent, unit_text
from vigie.training.report.inputs import ReportInputs
from vigie.training.scoring import joined

_SIGNIFICANT: Final = 0.05
_MOST_SHOWN: Final = 12
_MOST_LETTERS: Final = 16
_MOST_LISTED: Final = 60


def weak_spots(inputs: ReportInputs) -> Section:
    """Return every segment's loss, the worst first."""
    winner = inputs.leaderboard.winner
    positions = np.concatenate([winner.out_of_fold_rows, inputs.split.test])
    scores = joined([winner.out_of_fold, winner.test_scores])
    found = by_segment(inputs.dataset.schema, inputs.dataset.frame.iloc[positions], scores)
    loss = METRICS[ROW_LOSS[inputs.task]]
    basis = f"{len(winner.out_of_fold):,} out-of-fold training rows and {inputs.held_out}"
    weak = [item for item in found if item.p < _SIGNIFICANT and item.excess > 0]
    verdict = (
        f"In {count(len(weak), 'segment')} of {len(found)} the loss is higher than elsewhere beyond what chance "
        "explains."
        if weak
        else f"In none of {count(len(found), 'segment')} is the loss higher than elsewhere beyond what chance explains."
    )
    if not found:
        verdict = f"No segment has {FEWEST_ROWS} rows inside and outside, so nothing is compared."
    return Section(
        anchor="segments",
        title="Where does it err most?",
        text=(
            (
                "Each level of a category and each quartile of a number is compared with all other rows, by "
                f"{metric_name(loss.name)} "
                f"(lower is better), on the {basis}. {verdict}"
            ),
        ),
        figures=(_figure(inputs, found, loss.compute(scores)),) if found else (),
        tables=(_table(inputs, found),) if found else (),
        notes=(
            (
                "A quartile holds its upper end. p: Welch's test of equal mean loss inside and outside, "
                "two-sided, corrected by Holm for all "
                "segments compared, "
                f"of which those below {FEWEST_ROWS} rows are left out. A high loss may mean that outcomes are "
                "harder to "
                "tell there, not that the model treats the segment worse."
            ),
        ),
    )


def _figure(inputs: ReportInputs, found: tuple[Segment, ...], overall: float) -> Figure:
    shown = found[:_MOST_SHOWN]
    loss = METRICS[ROW_LOSS[inputs.task]]
    beside = _labels(shown)
    layers = [rule(x=overall, colour=MUTED)]
    for colour, sure in ((SECOND, True), (FIRST, False)):
        part = [item for item in shown if (item.p < _SIGNIFICANT) is sure]
        ranged = [(item, item.loss.interval) for item in part if item.loss.interval is not None]
        low, high = ([getattr(interval, end) for _, interval in ranged] for end in ("low", "high"))
        layers.append(spans(rows(y=[beside[item] for item, _ in ranged], low=low, high=high), colour))
        layers.append(dots(rows(y=[beside[item] for item in part], x=[item.loss.value for item in part]), colour))
    title = f"{metric_name(loss.name)} {unit_text(loss.unit, inputs.dataset.schema.target.name)}".strip()
    return Figure(
        name="segments",
        title=f"{opening(metric_name(loss.name))} by segment, worst first",
        alt="Worst first: " + "; ".join(f"{item.loss.subject} {number(item.loss.value)}" for item in shown),
        caption=f"The {len(shown)} worst of {len(found)} segments with {percent(LEVEL)} intervals. Orange: differs "
        f"from all other rows at a corrected p below {_SIGNIFICANT}. Dashed: over all rows, {number(overall)}.",
        spec=chart(
            layers,
            Scale(title),
            Scale("", kind="nominal", order=tuple(beside.values()), limit=220),
            height=max(90, 24 * len(shown)),
        ),
    )


def _labels(shown: tuple[Segment, ...]) -> dict[Segment, str]:
    """Return what stands beside each mark: a feature, shortened where it is long, and its level."""
    features = list(dict.fromkeys(item.feature for item in shown))
    short = dict(zip(features, labels(features, _MOST_LETTERS), strict=True))
    return {item: f"{short[item.feature]}: {item.level}" for item in shown}


def _table(inputs: ReportInputs, found: tuple[Segment, ...]) -> Table:
    name = metric_name(ROW_LOSS[inputs.task])
    listed = found[:_MOST_LISTED]
    which = "All" if len(listed) == len(found) else f"The {len(listed)} worst of"
    return Table(
        caption=f"{which} {len(found)} segments, worst first, with {percent(LEVEL)} intervals and Holm-corrected p",
        columns=("feature", "level", "n", f"{name} here", f"{name} elsewhere", "n elsewhere", "p"),
        rows=tuple(
            (
                item.feature,
                item.level,
                f"{item.loss.n:,}",
                cell(item.loss.value, item.loss.interval),
                cell(item.elsewhere.value, item.elsewhere.interval),
                f"{item.elsewhere.n:,}",
                p_text(item.p),
            )
            for item in listed
        ),
        n_text=2,
        folded=len(listed) > _MOST_SHOWN,
    )
