"""What moves the model's answers: coefficients with their signs, and what is lost when a feature is shuffled."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sklearn.inspection import permutation_importance
from sklearn.pipeline import Pipeline

from vigie.domain.schema import Schema
from vigie.evaluation.intervals import LEVEL
from vigie.evaluation.metrics import METRICS
from vigie.training.report.inputs import ReportInputs
from vigie.training.report.marks import Scale, chart, dots, rows, rule, spans
from vigie.training.report.parts import Figure, Section, Table
from vigie.training.report.theme import FIRST, MUTED, QUIET, SECOND
from vigie.training.report.wording import labels, metric_name, number, opening, span, unit_text
from vigie.training.scoring import scores_of
from vigie.training.tuner import plain

_MOST_SHOWN: Final = 15
"""Features in a chart; the table holds all."""

_MOST_LETTERS: Final = 24


@dataclass(frozen=True, slots=True)
class Importance:
    """What the ranking metric loses when each feature is shuffled on held-out rows.

    Attributes:
        names: features, the one that is missed most first.
        lost: shape (n_features, n_shuffles), above zero where the model does worse without it.
        n: rows judged.
    """

    names: tuple[str, ...]
    lost: np.ndarray
    n: int


@dataclass(frozen=True, slots=True)
class Coefficients:
    """A linear model's coefficients, largest first.

    Attributes:
        names: columns as the estimator sees them.
        values: shape (n_columns,), on the training rows.
        low: lower ends of the bootstrap interval, shape (n_columns,).
        high: upper ends.
        n: training rows.
    """

    names: tuple[str, ...]
    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n: int


def influence(inputs: ReportInputs) -> Section:
    """Return permutation importance, and coefficients where the winner is linear."""
    importance = permuted(inputs)
    figures, tables = [_importance_figure(inputs, importance)], [_importance_table(inputs, importance)]
    coefficients = coefficients_of(inputs)
    text = [
        (
            "A feature matters to this model as far as shuffling its values among the held-out rows makes the "
            "answers worse. "
            "Features that say the same share their importance: each looks dispensable while the other is there."
        )
    ]
    if coefficients is not None:
        figures.insert(0, _coefficient_figure(inputs, coefficients))
        tables.insert(0, _coefficient_table(inputs, coefficients))
        text.append(
            "A coefficient is the change of the answer for one standard deviation of a number, or for being of a "
            "category. It tells what the model does, not what would happen if the feature were changed in the world."
        )
    return Section(
        anchor="influence",
        title="What does it look at?",
        text=tuple(text),
        figures=tuple(figures),
        tables=tuple(tables),
    )


def permuted(inputs: ReportInputs) -> Importance:
    """Return how much the ranking metric loses on held-out rows without each feature."""
    metric, test = METRICS[inputs.leaderboard.metric], inputs.split.test
    if len(test) > inputs.effort.judged_rows:
        test = np.random.default_rng(inputs.seed).permutation(test)[: inputs.effort.judged_rows]
    sign = 1.0 if metric.greater_is_better else -1.0

    def score(model: Any, frame: Any, y: np.ndarray) -> float:
        return sign * metric.compute(scores_of(model, inputs.task, frame, y))

    found = permutation_importance(
        inputs.leaderboard.winner.model,
        inputs.dataset.frame.iloc[test],
        inputs.dataset.y[test],
        scoring=score,
        n_repeats=inputs.effort.shuffles,
        random_state=inputs.seed,
    )
    order = np.argsort(-found.importances_mean, kind="stable")
    names = inputs.dataset.schema.names
    return Importance(tuple(names[at] for at in order), found.importances[order], len(test))


def coefficients_of(inputs: ReportInputs) -> Coefficients | None:
    """Return the winner's coefficients with bootstrap intervals; None unless it is linear with one answer.

    Rows are drawn again and the estimator fitted to them with the chosen penalty; scaling and encoding stay, so that a
    coefficient keeps its meaning from one draw to the next.
    """
    model = inputs.leaderboard.winner.model
    estimator, rows_of = model.named_steps["model"], inputs.split.train
    if not hasattr(estimator, "coef_") or np.atleast_2d(estimator.coef_).shape[0] != 1:
        return None
    frame = inputs.dataset.frame.iloc[rows_of]
    columns = np.asarray(model[:-1].transform(frame) if len(model) > 1 else frame, dtype=np.float64)
    y, rng = inputs.dataset.y[rows_of], np.random.default_rng(inputs.seed)
    drawn = []
    for _ in range(inputs.effort.resamples):
        sample = rng.integers(0, len(y), len(y))
        if inputs.task.is_classification and len(np.unique(y[sample])) < 2:
            continue
        drawn.append(np.ravel(plain(estimator).fit(columns[sample], y[sample]).coef_))
    values = np.ravel(estimator.coef_)
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    order = np.argsort(-np.abs(values), kind="stable")
    names = column_names(model, inputs.dataset.schema)
    return Coefficients(tuple(names[at] for at in order), values[order], low[order], high[order], len(y))


def column_names(model: Pipeline, schema: Schema) -> list[str]:
    """Return the columns that reach the estimator: a feature's name, or ``feature = level`` for one-hot columns."""
    if "columns" not in model.named_steps:
        return list(schema.names)
    columns = model.named_steps["columns"]
    names = [feature.name for feature in schema.features if feature.kind.is_numeric]
    encoder = columns.named_transformers_["categories"]
    categories = [feature.name for feature in schema.features if not feature.kind.is_numeric]
    if not hasattr(encoder, "infrequent_categories_"):
        return names + categories
    for name, levels, rare in zip(categories, encoder.categories_, encoder.infrequent_categories_, strict=True):
        few = set() if rare is None else set(map(str, rare))
        names += [f"{name} = {level}" for level in levels if str(level) not in few]
        names += [f"{name} = rarer levels"] if few else []
    return names


def _importance_figure(inputs: ReportInputs, found: Importance) -> Figure:
    name = metric_name(inputs.leaderboard.metric)
    shown = labels(found.names[:_MOST_SHOWN], _MOST_LETTERS)
    lost = found.lost[: len(shown)]
    layers = [
        rule(x=0, colour=MUTED, dash=(1, 0)),
        spans(rows(y=shown, low=lost.min(axis=1), high=lost.max(axis=1)), FIRST),
        dots(rows(y=shown, x=lost.mean(axis=1)), FIRST),
    ]
    unit = unit_text(METRICS[inputs.leaderboard.metric].unit, inputs.dataset.schema.target.name)
    more = f" The first {len(shown)} of {len(found.names)} features." if len(shown) < len(found.names) else ""
    return Figure(
        name="importance",
        title=f"{opening(name)} lost without each feature",
        alt="Most missed first: "
        + "; ".join(f"{item} {number(mean)}" for item, mean in zip(shown, lost.mean(axis=1), strict=True)),
        caption=f"{found.n:,} held-out rows. Point: mean of {lost.shape[1]} shuffles; line: their range.{more}",
        spec=chart(
            layers, Scale(f"{name} lost {unit}".strip()), Scale("", kind="nominal"), height=max(90, 24 * len(shown))
        ),
    )


def _importance_table(inputs: ReportInputs, found: Importance) -> Table:
    name = metric_name(inputs.leaderboard.metric)
    lines = []
    for feature, lost in zip(found.names, found.lost, strict=True):
        spread = float(np.ptp(lost)) / 2
        lines.append((feature, number(lost.mean(), spread), span(lost.min(), lost.max())))
    return Table(
        caption=f"{name} lost when a feature is shuffled among {found.n:,} held-out rows, {found.lost.shape[1]} times",
        columns=("feature", f"{name} lost, mean", "range of shuffles"),
        rows=tuple(lines),
        folded=True,
    )


def _coefficient_figure(inputs: ReportInputs, found: Coefficients) -> Figure:
    shown = labels(found.names[:_MOST_SHOWN], _MOST_LETTERS)
    n_shown = len(shown)
    layers = [rule(x=0, colour=MUTED, dash=(1, 0))]
    for colour, where in ((FIRST, found.values > 0), (SECOND, found.values < 0), (QUIET, found.values == 0)):
        at = np.flatnonzero(where[:n_shown])
        names = [shown[i] for i in at]
        layers.append(spans(rows(y=names, low=found.low[at], high=found.high[at]), colour))
        layers.append(dots(rows(y=names, x=found.values[at]), colour))
    unit = "log-odds" if inputs.task.is_classification else inputs.dataset.schema.target.name
    more = f" The largest {n_shown} of {len(found.names)}." if n_shown < len(found.names) else ""
    y = Scale("", kind="nominal", order=tuple(shown))
    return Figure(
        name="coefficients",
        title="Coefficients, largest first",
        alt="; ".join(f"{name} {number(value)}" for name, value in zip(found.names, found.values, strict=True)),
        caption=f"{found.n:,} training rows. Blue raises the answer, orange lowers it. Line: {LEVEL:.0%} bootstrap "
        f"interval over {inputs.effort.resamples} resamples, penalty and scaling held fixed.{more}",
        spec=chart(layers, Scale(f"{unit} per deviation"), y, height=max(90, 24 * n_shown)),
    )


def _coefficient_table(inputs: ReportInputs, found: Coefficients) -> Table:
    return Table(
        caption=f"Coefficients on {found.n:,} training rows with {LEVEL:.0%} bootstrap intervals "
        f"({inputs.effort.resamples} resamples)",
        columns=("column", "coefficient", f"{LEVEL:.0%} interval"),
        rows=tuple(
            (name, number(value, (high - low) / 2), span(low, high))
            for name, value, low, high in zip(found.names, found.values, found.low, found.high, strict=True)
        ),
        folded=True,
    )
