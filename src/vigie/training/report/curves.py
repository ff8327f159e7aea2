"""Bias against variance: what more rows would bring, and what more or less freedom does."""

import numpy as np
from sklearn.pipeline import Pipeline

from vigie.evaluation.metrics import METRICS
from vigie.reporting.marks import Layer, Scale, band, chart, dots, line, rows, rule
from vigie.reporting.parts import Figure, Section, Table
from vigie.reporting.theme import FIRST, SECOND
from vigie.reporting.wording import count, metric_name, number, unit_text
from vigie.training.report.dials import Dial, dial_of
from vigie.training.report.inputs import ReportInputs
from vigie.training.report.refits import (
    Curve,
    fewer,
    holds_every_class,
    judged,
    preprocessed,
    quietly_fitted,
    refitted,
    scores_at,
    some_folds,
    staged,
)
from vigie.training.scoring import scores_of

_FEWEST_ROWS = 40
"""A learning curve starts here, or where every class is seen."""

_MOST_DOTS = 15
"""A line with more points than this shows them by itself."""

_MOST_STAGES = 30
"""Rounds of boosting that are judged and drawn."""


def bias_and_variance(inputs: ReportInputs) -> Section:
    """Return the learning curve and the validation curve of the winner."""
    learning = learning_curve(inputs)
    found = (
        [(_learning_figure(inputs, learning), _table(inputs, learning, "training rows"))] if len(learning.at) else []
    )
    notes = [] if found else ["There are too few rows of some class for a learning curve."]
    validation = _validation(inputs)
    if validation is None:
        kind = type(inputs.leaderboard.winner.model.named_steps["model"]).__name__
        notes.append(f"No validation curve: we know of no single parameter that makes {kind} more or less flexible.")
    else:
        found.append(validation)
    return Section(
        anchor="bias-variance",
        title="Would more rows help, or a simpler model?",
        text=(
            (
                "Bias is the error of a model too stiff for the truth: both lines stay bad, however many rows there "
                "are. A more flexible model or better features lower it."
            ),
            (
                "Variance is the error of a model that follows its few rows too closely: it does well on rows it has "
                "seen and worse on others, so the lines stand apart. More rows or a simpler model lower it."
            ),
            *([_reading(inputs, learning)] if len(learning.at) > 1 else []),
        ),
        figures=tuple(figure for figure, _ in found),
        tables=tuple(table for _, table in found),
        notes=tuple(notes),
    )


def learning_curve(inputs: ReportInputs) -> Curve:
    """Return the winner's metric at growing numbers of rows; no size at which a class would be absent."""
    folds = some_folds(inputs)
    most = min(inputs.effort.rows, *(len(fit) for fit, _ in folds))
    sizes = np.unique(np.geomspace(min(_FEWEST_ROWS, most), most, inputs.effort.steps).round().astype(np.int64))
    kept, seen, unseen = [], [], []
    for size in sizes:
        parts = [(fewer(inputs, fit, int(size)), check) for fit, check in folds]
        if not all(holds_every_class(inputs, fit) for fit, _ in parts):
            continue
        models = [refitted(inputs, fit) for fit, _ in parts]
        kept.append(size)
        seen.append(
            [judged(inputs, scores_at(inputs, model, fit)) for model, (fit, _) in zip(models, parts, strict=True)]
        )
        unseen.append(
            [judged(inputs, scores_at(inputs, model, check)) for model, (_, check) in zip(models, parts, strict=True)]
        )
    return Curve(np.array(kept), np.array(seen), np.array(unseen))


def dial_curve(inputs: ReportInputs, dial: Dial) -> Curve:
    """Return the winner's metric at each value of its dial."""
    folds = [(fewer(inputs, fit, inputs.effort.rows), check) for fit, check in some_folds(inputs)]
    seen, unseen = np.empty((len(dial.values), len(folds))), np.empty((len(dial.values), len(folds)))
    y = inputs.dataset.y
    for j, (fit, check) in enumerate(folds):
        learnt, known, asked = preprocessed(inputs, fit, check)  # once a fold: no dial turns the preprocessing
        for i, value in enumerate(dial.values):
            model = quietly_fitted(dial.set_to(float(value)), learnt, y[fit])
            seen[i, j] = judged(inputs, scores_of(model, inputs.task, known, y[fit]))
            unseen[i, j] = judged(inputs, scores_of(model, inputs.task, asked, y[check]))
    return Curve(dial.values, seen, unseen)


def rounds_curve(inputs: ReportInputs) -> Curve:
    """Return a boosted winner's metric after each of its rounds, from one fit a fold."""
    folds = [(fewer(inputs, fit, inputs.effort.rows), check) for fit, check in some_folds(inputs)]
    models = [refitted(inputs, fit) for fit, _ in folds]
    shared = min(_n_rounds(model) for model in models)  # early stopping may end a fold sooner
    wanted = np.unique(np.geomspace(1, shared, _MOST_STAGES).round().astype(np.int64))

    def along(model: Pipeline, part: np.ndarray) -> list[float]:
        stages = enumerate(staged(inputs, model, part), start=1)
        return [judged(inputs, scores) for number, scores in stages if number in wanted]

    return Curve(
        wanted,
        np.array([along(model, fit) for model, (fit, _) in zip(models, folds, strict=True)]).T,
        np.array([along(model, check) for model, (_, check) in zip(models, folds, strict=True)]).T,
    )


def _n_rounds(model: Pipeline) -> int:
    estimator = model.named_steps["model"]
    found = getattr(estimator, "n_iter_", None) or getattr(estimator, "tree_count_", None)  # the latter is CatBoost's
    return int(found or len(estimator.estimators_))


def _validation(inputs: ReportInputs) -> tuple[Figure, Table] | None:
    estimator = inputs.leaderboard.winner.model.named_steps["model"]
    if hasattr(estimator, "staged_predict"):
        curve, meaning, chosen, flexible = rounds_curve(inputs), "rounds of boosting", None, "high"
    else:
        dial = dial_of(estimator, inputs.effort.steps)
        if dial is None:
            return None
        curve, meaning, chosen, flexible = dial_curve(inputs, dial), dial.meaning, dial.chosen, dial.flexible_when
    side = "right" if flexible == "high" else "left"
    marked = "" if chosen is None else f" Dashed: the winner's, {number(chosen)}."
    best = curve.at[_best(inputs, curve.unseen.mean(axis=1))]
    figure = Figure(
        name="validation_curve",
        title="Validation curve: stiff or flexible",
        alt=f"{metric_name(inputs.leaderboard.metric)} on seen and unseen rows against {meaning}; on unseen rows it is "
        f"best at {number(float(best))}.",
        caption=f"More flexible to the {side}, where variance grows; stiffer to the other side, where bias does. "
        f"{_basis(inputs)}, fits on at most {inputs.effort.rows:,} rows.{marked}",
        spec=_spec(inputs, curve, meaning, chosen),
    )
    return figure, _table(inputs, curve, meaning)


def _learning_figure(inputs: ReportInputs, curve: Curve) -> Figure:
    means = curve.unseen.mean(axis=1)
    return Figure(
        name="learning_curve",
        title="Learning curve: more rows",
        alt=f"{metric_name(inputs.leaderboard.metric)} on unseen rows goes from {number(means[0])} at {curve.at[0]:,} "
        f"training rows to {number(means[-1])} at {curve.at[-1]:,}.",
        caption=f"{_basis(inputs)}; the last point learns from {curve.at[-1]:,} of the "
        f"{len(inputs.split.train):,} training rows.",
        spec=_spec(inputs, curve, "training rows", None),
    )


def _basis(inputs: ReportInputs) -> str:
    n = min(inputs.effort.folds, inputs.n_folds)
    return f"Blue: rows left out. Orange: rows learnt from. Line: mean of {count(n, 'fold')}; band: their range"


def _spec(inputs: ReportInputs, curve: Curve, across: str, chosen: float | None) -> dict[str, object]:
    unit = METRICS[inputs.leaderboard.metric].unit
    title = " ".join([metric_name(inputs.leaderboard.metric), unit_text(unit, inputs.dataset.schema.target.name)])
    layers: list[Layer] = [rule(x=chosen)] if chosen is not None else []
    for values, colour in ((curve.seen, SECOND), (curve.unseen, FIRST)):
        mean = rows(x=curve.at, y=values.mean(axis=1))
        layers += [band(rows(x=curve.at, low=values.min(axis=1), high=values.max(axis=1)), colour), line(mean, colour)]
        if len(curve.at) <= _MOST_DOTS:
            layers.append(dots(mean, colour, size=22))
    is_count = curve.at.min() >= 1 and curve.at.max() >= 1000  # "1k"; but "1m" would be read as a million
    across_scale = Scale(across, log=True, grid=False, format="~s" if is_count else "~g")
    return chart(layers, across_scale, Scale(title.strip()))


def _table(inputs: ReportInputs, curve: Curve, across: str) -> Table:
    name = metric_name(inputs.leaderboard.metric)
    lines = []
    for at, seen, unseen in zip(curve.at, curve.seen, curve.unseen, strict=True):
        lines.append((number(float(at)) if at % 1 else f"{int(at):,}", *(_with_range(side) for side in (seen, unseen))))
    return Table(
        caption=f"{name} by {across}: mean of {count(curve.seen.shape[1], 'fold')} and their range",
        columns=(across, "rows learnt from", "rows left out"),
        rows=tuple(lines),
        n_text=0,
        folded=True,
    )


def _with_range(values: np.ndarray) -> str:
    spread = float(np.ptp(values)) / 2
    return f"{number(float(values.mean()), spread)} ({number(values.min(), spread)} to {number(values.max(), spread)})"


def _best(inputs: ReportInputs, values: np.ndarray) -> int:
    return int(np.argmax(values) if METRICS[inputs.leaderboard.metric].greater_is_better else np.argmin(values))


def _reading(inputs: ReportInputs, curve: Curve) -> str:
    """Say what the right end of the learning curve shows; folds are compared each with itself."""
    apart = abs(float(curve.seen[-1].mean() - curve.unseen[-1].mean()))
    spread = float(np.ptp(curve.unseen[-1])) / 2 or None
    sign = 1 if METRICS[inputs.leaderboard.metric].greater_is_better else -1
    gains = sign * (curve.unseen[-1] - curve.unseen[-2])
    last, n_train = int(curve.at[-1]), len(inputs.split.train)
    if last < n_train / 2:
        verdict = f"and {int((gains > 0).sum())} of {count(len(gains), 'fold')} gained"
        beyond = f" The curve ends there to save time: what more than the model's own {n_train:,} bring, it cannot say."
    elif (gains > 0).all():
        verdict, beyond = "and every fold gained: more rows should still help", ""
    else:
        verdict, beyond = "but not every fold gained: more rows of this kind would bring little", ""
    return (
        f"Here, at {last:,} rows, the lines are {number(apart, spread)} apart. Going from {curve.at[-2]:,} to "
        f"{last:,} rows bettered the unseen side by {number(float(gains.mean()), spread)} on average, "
        f"{verdict}.{beyond}"
    )
