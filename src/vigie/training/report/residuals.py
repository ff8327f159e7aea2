"""A regression's errors on held-out rows: against the prediction, as a distribution, and against the normal one."""

from typing import Final

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student

from vigie.evaluation.intervals import LEVEL
from vigie.evaluation.metrics import Scores
from vigie.reporting.marks import Layer, Rows, Scale, bars, chart, dots, line, rows, rule, spans
from vigie.reporting.parts import Figure, Section, Table
from vigie.reporting.theme import FIRST, MUTED, SECOND
from vigie.reporting.wording import count, number, percent, span
from vigie.training.report.inputs import ReportInputs

_MOST_DOTS: Final = 800
"""Points drawn of a scatter; the means in it rest on all rows."""

_SLICES: Final = 8
"""Parts of equal numbers of rows, by prediction, of which the mean residual is shown."""


def residuals(inputs: ReportInputs) -> Section:
    """Return the winner's residuals on the held-out rows."""
    scores = inputs.leaderboard.winner.test_scores
    errors = scores.y - scores.predicted
    slices = sliced(scores)
    return Section(
        anchor="residuals",
        title="How does it err?",
        text=(
            (
                "A residual is what came true minus what was predicted. Residuals without a pattern have mean zero "
                "at every "
                "prediction and the same spread; a bend means that something is missed, a funnel that some "
                "answers deserve "
                "less trust than others."
            ),
        ),
        figures=(_scatter(inputs, scores, slices), _histogram(inputs, errors), _quantiles(inputs, errors)),
        tables=(_table(inputs, errors), _slice_table(inputs, slices)),
    )


def sliced(scores: Scores) -> Rows:
    """Return the mean residual with its t interval in slices of equal numbers of rows, by prediction."""
    errors, order = scores.y - scores.predicted, np.argsort(scores.predicted, kind="stable")
    found: Rows = []
    for part in np.array_split(order, min(_SLICES, max(1, len(order) // 10))):
        mean, n = float(errors[part].mean()), len(part)
        half = float(student.ppf((1 + LEVEL) / 2, n - 1) * errors[part].std(ddof=1) / np.sqrt(n)) if n > 1 else 0.0
        middle = float(scores.predicted[part].mean())
        found += [{"x": middle, "y": mean, "low": mean - half, "high": mean + half, "n": n}]
    return found


def normal_quantiles(errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the quantiles that a normal sample of this size would have, and the standardised errors in order.

    Source:
        Blom (1958), Statistical Estimates and Transformed Beta-Variables (plotting positions).
    """
    n = len(errors)
    expected = norm.ppf((np.arange(1, n + 1) - 0.375) / (n + 0.25))
    spread = errors.std(ddof=1) if n > 1 else 0.0
    return expected, np.sort((errors - errors.mean()) / spread) if spread > 0 else np.zeros(n)


def _thinned(inputs: ReportInputs, n: int) -> np.ndarray:
    if n <= _MOST_DOTS:
        return np.arange(n)
    return np.sort(np.random.default_rng(inputs.seed).permutation(n)[:_MOST_DOTS])


def _scatter(inputs: ReportInputs, scores: Scores, slices: Rows) -> Figure:
    target, at = inputs.dataset.schema.target.name, _thinned(inputs, len(scores))
    errors = scores.y - scores.predicted
    layers: list[Layer] = [
        dots(rows(x=scores.predicted[at], y=errors[at]), FIRST, size=18, opacity=0.45),
        rule(y=0, colour=MUTED, dash=(1, 0)),
        spans(slices, SECOND, upright=True),
        dots(slices, SECOND, size=50),
    ]
    drawn = "" if len(at) == len(scores) else f" {len(at):,} of them drawn."
    return Figure(
        name="residuals",
        title="Residuals against predictions",
        alt="Mean residual from the lowest to the highest predictions: "
        + ", ".join(number(item["y"]) for item in slices),
        caption=f"{inputs.held_out}.{drawn} Orange: mean of {count(len(slices), 'part')} of equal size by "
        "prediction, with its "
        f"{percent(LEVEL)} interval.",
        spec=chart(layers, Scale(f"predicted {target}"), Scale(f"residual, in units of {target}")),
    )


def _histogram(inputs: ReportInputs, errors: np.ndarray) -> Figure:
    counts, edges = np.histogram(errors, bins="fd" if len(errors) > 50 else 10)
    width, grid = edges[1] - edges[0], np.linspace(edges[0], edges[-1], 80)
    bell = norm.pdf(grid, errors.mean(), errors.std(ddof=1) or 1.0) * len(errors) * width
    layers = [
        bars(rows(x=edges[:-1], x2=edges[1:], y=counts), FIRST, opacity=0.55),
        line(rows(x=grid, y=bell), SECOND, width=1.6),
    ]
    return Figure(
        name="residual_histogram",
        title="Distribution of residuals",
        alt=f"Histogram of residuals with mean {number(errors.mean())} and standard deviation "
        f"{number(errors.std(ddof=1))}.",
        caption=f"{inputs.held_out}. Orange: the normal curve of the same mean and deviation.",
        spec=chart(
            layers, Scale(f"residual, in units of {inputs.dataset.schema.target.name}"), Scale("rows", zero=True)
        ),
    )


def _quantiles(inputs: ReportInputs, errors: np.ndarray) -> Figure:
    expected, found = normal_quantiles(errors)
    at = np.unique(np.linspace(0, len(found) - 1, min(len(found), 300)).round().astype(int))
    ends = np.array([expected[0], expected[-1]])
    layers = [
        line(rows(x=ends, y=ends), MUTED, width=1.2, dash=(4, 3)),
        dots(rows(x=expected[at], y=found[at]), FIRST, size=18, opacity=0.7),
    ]
    return Figure(
        name="residual_quantiles",
        title="Are they normal?",
        alt=f"Normal quantile plot; the largest residual lies {number(found[-1])} deviations above the mean where "
        f"{number(expected[-1])} is expected, the smallest {number(found[0])} where {number(expected[0])} is.",
        caption=f"{inputs.held_out}. On the dashed line they would be normal; ends that bend away from it mean larger "
        "misses than a normal model expects.",
        spec=chart(layers, Scale("normal quantile, deviations"), Scale("residual, deviations")),
    )


def _table(inputs: ReportInputs, errors: np.ndarray) -> Table:
    n, spread = len(errors), float(errors.std(ddof=1))
    half = float(student.ppf((1 + LEVEL) / 2, n - 1)) * spread / float(np.sqrt(n))
    low, middle, high = np.quantile(errors, [0.05, 0.5, 0.95])
    return Table(
        caption=f"Residuals of the {inputs.held_out}, in units of {inputs.dataset.schema.target.name}",
        columns=(
            "n",
            f"mean ({percent(LEVEL)} interval)",
            "standard deviation",
            "median",
            "5 % to 95 %",
            "largest miss",
        ),
        rows=(
            (
                f"{n:,}",
                f"{number(float(errors.mean()), half)} ({span(errors.mean() - half, errors.mean() + half)})",
                number(spread),
                number(float(middle), half),
                span(float(low), float(high)),
                number(float(np.abs(errors).max())),
            ),
        ),
        n_text=0,
    )


def _slice_table(inputs: ReportInputs, slices: Rows) -> Table:
    return Table(
        caption=f"Mean residual by prediction, {inputs.held_out}",
        columns=("mean prediction", "n", f"mean residual ({percent(LEVEL)} interval)"),
        rows=tuple(
            (
                number(item["x"]),
                f"{item['n']:,}",
                f"{number(item['y'], item['high'] - item['y'])} ({span(item['low'], item['high'])})",
            )
            for item in slices
        ),
        n_text=0,
        folded=True,
    )
