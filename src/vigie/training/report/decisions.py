"""What decisions are worth: the threshold that pays best on rows of the cross-validation, judged on held-out rows."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.stats import norm

from vigie.domain.measurement import Interval, Measurement
from vigie.evaluation.intervals import LEVEL
from vigie.evaluation.metrics import Scores
from vigie.evaluation.thresholds import best_threshold, break_even, confusion, decided, sweep
from vigie.evaluation.value import PER, DecisionValue, value_per_thousand
from vigie.reporting.marks import Layer, Scale, band, chart, line, rows, rule
from vigie.reporting.parts import Figure, Section, Table
from vigie.reporting.theme import FIRST, QUIET, SECOND
from vigie.reporting.wording import cell, measured, number, percent
from vigie.training.report.classes import confusion_figure, share_text
from vigie.training.report.inputs import ReportInputs

_GRID: Final = 101
"""Thresholds drawn."""


@dataclass(frozen=True, slots=True)
class Policy:
    """One way to decide, and what it is worth on the held-out rows."""

    name: str
    threshold: float
    scores: Scores
    worth: Measurement


@dataclass(frozen=True, slots=True)
class Gain:
    """What deciding by the model is worth, and how much more than deciding without it.

    Attributes:
        worth: at the threshold worth most, on held-out rows.
        over: the same minus the better way to decide without looking, row by row.
        rival: which way that is.
    """

    worth: Measurement
    over: Measurement
    rival: str


def decisions(inputs: ReportInputs, value: DecisionValue) -> Section:
    """Return value by threshold, and the policies a reader may compare."""
    chosen = chosen_threshold(inputs, value)
    found = policies(inputs, value, chosen)
    pays = break_even(value)
    theory = (
        ""
        if pays is None
        else f" If probabilities were exactly right it would be {_threshold(pays)}, where a yes begins to pay."
    )
    gain = gained(inputs, value)
    figures: tuple[Figure, ...] = (_curve(inputs, value, chosen),)
    if 0 <= chosen <= 1:
        at_best = confusion_figure(
            inputs, found[1].scores, "confusion_value", f"Confusion at the threshold worth most, {_threshold(chosen)}"
        )
        figures = (*figures, at_best)
    return Section(
        anchor="decisions",
        title="What is it worth?",
        text=(
            (
                f"A true positive brings {_money(value.true_positive, value)}, a false positive "
                f"{_money(value.false_positive, value)}, a false negative {_money(value.false_negative, value)}, "
                "a true "
                f"negative {_money(value.true_negative, value)}. The threshold worth most on the "
                f"{len(inputs.leaderboard.winner.out_of_fold):,} training rows, each predicted by a model that had not "
                f"seen it, is {_threshold(chosen)}.{theory}"
            ),
            (
                f"On the {inputs.held_out}, which had no part in that choice, it brings {value.unit} "
                f"{measured(gain.worth)} per {PER:,} decisions; that is {measured(gain.over)} more than "
                f"{gain.rival}, the "
                "better way to decide without a model."
            ),
        ),
        figures=figures,
        tables=(_table(inputs, value, found),),
        notes=("The model's own answers are given at 0.5; act on the probability to use another threshold.",),
    )


def chosen_threshold(inputs: ReportInputs, value: DecisionValue) -> float:
    """Return the threshold worth most on out-of-fold training rows; infinite when never saying yes is."""
    return best_threshold(inputs.leaderboard.winner.out_of_fold, value)


def policies(inputs: ReportInputs, value: DecisionValue, chosen: float) -> tuple[Policy, ...]:
    """Return deciding at 0.5, at the chosen threshold, always yes and always no, each judged on held-out rows."""
    scores = inputs.leaderboard.winner.test_scores
    ways = (("at 0.5", 0.5), (f"at {_threshold(chosen)} (chosen)", chosen), ("always yes", 0.0), ("always no", np.inf))
    found = []
    for name, threshold in ways:
        taken = decided(scores, threshold)
        found.append(Policy(name, threshold, taken, value_per_thousand(taken, value)))
    return tuple(found)


def gained(inputs: ReportInputs, value: DecisionValue) -> Gain:
    """Compare deciding at the chosen threshold with the better of always yes and always no on held-out rows."""
    _, best, yes, no = policies(inputs, value, chosen_threshold(inputs, value))
    rival = max(yes, no, key=lambda policy: policy.worth.value or 0.0)
    more = PER * (value.per_row(best.scores) - value.per_row(rival.scores))
    mean, n = float(more.mean()), len(more)
    half = float(norm.ppf((1 + LEVEL) / 2)) * float(more.std(ddof=1)) / float(np.sqrt(n))
    over = Measurement("value", mean, best.worth.unit, n, interval=Interval(mean - half, mean + half, LEVEL))
    return Gain(best.worth, over, rival.name)


def _threshold(value: float) -> str:
    return "never yes" if np.isinf(value) else f"{value:.3f}"


def _money(amount: float, value: DecisionValue) -> str:
    return f"{number(amount)} {value.unit}"


def _curve(inputs: ReportInputs, value: DecisionValue, chosen: float) -> Figure:
    winner, grid = inputs.leaderboard.winner, np.linspace(0, 1, _GRID)
    learnt = _worth_on(grid, winner.out_of_fold, value)
    judged = [value_per_thousand(decided(winner.test_scores, float(at)), value) for at in grid]
    bounds = [item.interval for item in judged]
    layers: list[Layer] = [
        line(rows(x=grid, y=learnt), QUIET, width=1.6),
        line(rows(x=grid, y=[item.value for item in judged]), FIRST),
        rule(x=0.5, colour=QUIET),
    ]
    if all(bounds):
        low, high = ([getattr(item, end) for item in bounds] for end in ("low", "high"))
        layers.insert(0, band(rows(x=grid, low=low, high=high), FIRST))
    if 0 <= chosen <= 1:
        layers.append(rule(x=chosen, colour=SECOND))
    return Figure(
        name="value_by_threshold",
        title=f"Value per {PER:,} decisions by threshold",
        alt=f"Value per {PER:,} decisions against the threshold; the one chosen is {_threshold(chosen)}.",
        caption=f"Blue: {inputs.held_out} with their {percent(LEVEL)} interval at each threshold. Grey: out-of-fold "
        "training "
        "rows, which chose the orange threshold. Grey dashes: 0.5.",
        spec=chart(layers, Scale("threshold", domain=(0, 1), grid=False), Scale(f"{value.unit} per {PER:,} decisions")),
    )


def _worth_on(grid: np.ndarray, scores: Scores, value: DecisionValue) -> np.ndarray:
    """Return the value at each threshold of a grid, from one sweep."""
    found = sweep(scores)
    rising = found.thresholds[::-1]
    place = len(rising) - 1 - np.searchsorted(rising, grid, side="left")
    worth: np.ndarray = found.worth(value)[place]
    return worth


def _table(inputs: ReportInputs, value: DecisionValue, found: tuple[Policy, ...]) -> Table:
    lines = []
    for policy in found:
        (spared, false), (missed, hit) = confusion(policy.scores, 2).tolist()
        counts = (f"{n:,}" for n in (hit, false, missed, spared))
        lines.append(
            (
                policy.name,
                cell(policy.worth.value, policy.worth.interval),
                *counts,
                share_text(hit, hit + false),
                share_text(hit, hit + missed),
            )
        )
    return Table(
        caption=f"Ways to decide, judged on {inputs.held_out}; value in {value.unit} per {PER:,} decisions with "
        f"{percent(LEVEL)} intervals",
        columns=("decide", "value", "hits", "false alarms", "missed", "spared", "precision", "recall"),
        rows=tuple(lines),
    )
