"""What moves the model's answers: coefficients with their signs, and what is lost when a feature is shuffled."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.stats import norm
from sklearn.pipeline import Pipeline

from vigie.domain.schema import Schema
from vigie.evaluation.intervals import LEVEL
from vigie.evaluation.metrics import METRICS, Scores
from vigie.reporting.marks import Scale, chart, dots, rows, rule, spans
from vigie.reporting.parts import Figure, Section, Table
from vigie.reporting.theme import FIRST, MUTED, QUIET, SECOND
from vigie.reporting.wording import NOTHING, labels, metric_name, number, opening, percent, span, unit_text
from vigie.training.report.inputs import ReportInputs
from vigie.training.report.sandwich import standard_errors
from vigie.training.scoring import scores_of

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
    """A linear model's coefficients, largest first; an interval of NaN where there is none.

    Attributes:
        names: columns as the estimator sees them.
        values: shape (n_columns,), on the training rows.
        low: lower ends of the interval, shape (n_columns,).
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
        tables.insert(0, _coefficient_table(coefficients))
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
    metric, test, shuffles = METRICS[inputs.leaderboard.metric], inputs.split.test, inputs.effort.shuffles
    rng = np.random.default_rng(inputs.seed)
    if len(test) > inputs.effort.judged_rows:
        test = rng.permutation(test)[: inputs.effort.judged_rows]
    model, frame, y = inputs.leaderboard.winner.model, inputs.dataset.frame.iloc[test], inputs.dataset.y[test]
    sign = 1.0 if metric.greater_is_better else -1.0
    whole = sign * metric.compute(scores_of(model, inputs.task, frame, y))
    # every shuffle of a feature in one frame: a question costs the same for one row as for a thousand
    orders = np.array([rng.permutation(len(test)) for _ in range(shuffles)])
    repeated = frame.iloc[np.tile(np.arange(len(test)), shuffles)]
    lost = np.empty((frame.shape[1], shuffles))
    for at, name in enumerate(frame.columns):
        asked = repeated.assign(**{name: frame[name].to_numpy()[orders.ravel()]})
        found = scores_of(model, inputs.task, asked, np.tile(y, shuffles))
        lost[at] = [whole - sign * metric.compute(part) for part in _parts(found, shuffles)]
    order = np.argsort(-lost.mean(axis=1), kind="stable")
    names = inputs.dataset.schema.names
    return Importance(tuple(names[at] for at in order), lost[order], len(test))


def _parts(scores: Scores, n: int) -> list[Scores]:
    """Return scores cut into equal parts."""
    size = len(scores) // n
    cuts = [slice(at * size, (at + 1) * size) for at in range(n)]
    return [
        Scores(scores.y[cut], scores.predicted[cut], None if scores.proba is None else scores.proba[cut])
        for cut in cuts
    ]


def coefficients_of(inputs: ReportInputs) -> Coefficients | None:
    """Return the winner's coefficients with their intervals; None unless it is linear with one answer.

    Scaling and encoding stay as they are, so that a coefficient means the same throughout its interval.
    """
    model = inputs.leaderboard.winner.model
    estimator, rows_of = model.named_steps["model"], inputs.split.train
    if not hasattr(estimator, "coef_") or np.atleast_2d(estimator.coef_).shape[0] != 1:
        return None
    frame = inputs.dataset.frame.iloc[rows_of]
    columns = np.asarray(model[:-1].transform(frame) if len(model) > 1 else frame, dtype=np.float64)
    values = np.ravel(estimator.coef_)
    half = norm.ppf((1 + LEVEL) / 2) * standard_errors(estimator, columns, inputs.dataset.y[rows_of])
    order = np.argsort(-np.abs(values), kind="stable")
    names = column_names(model, inputs.dataset.schema)
    low, high = (values - half)[order], (values + half)[order]
    return Coefficients(tuple(names[at] for at in order), values[order], low, high, len(rows_of))


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
        sure = at[np.isfinite(found.low[at])]
        layers.append(spans(rows(y=[shown[i] for i in sure], low=found.low[sure], high=found.high[sure]), colour))
        layers.append(dots(rows(y=names, x=found.values[at]), colour))
    unit = "log-odds" if inputs.task.is_classification else inputs.dataset.schema.target.name
    more = f" The largest {n_shown} of {len(found.names)}." if n_shown < len(found.names) else ""
    y = Scale("", kind="nominal", order=tuple(shown))
    return Figure(
        name="coefficients",
        title="Coefficients, largest first",
        alt="; ".join(f"{name} {number(value)}" for name, value in zip(found.names, found.values, strict=True)),
        caption=f"{found.n:,} training rows. Blue raises the answer, orange lowers it. Line: {percent(LEVEL)} interval "
        f"(sandwich), penalty and scaling held fixed; a coefficient set to zero has none.{more}",
        spec=chart(layers, Scale(f"{unit} per deviation"), y, height=max(90, 24 * n_shown)),
    )


def _coefficient_table(found: Coefficients) -> Table:
    return Table(
        caption=f"Coefficients on {found.n:,} training rows with {percent(LEVEL)} intervals (sandwich)",
        columns=("column", "coefficient", f"{percent(LEVEL)} interval"),
        rows=tuple(
            (name, number(value, (high - low) / 2), span(low, high) if np.isfinite(low) else NOTHING)
            for name, value, low, high in zip(found.names, found.values, found.low, found.high, strict=True)
        ),
        folded=True,
    )
