"""How a penalty shrinks a linear model: coefficients of ridge and LASSO along λ, and how many of them reach zero."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sklearn.isotonic import isotonic_regression
from sklearn.linear_model import Lasso, LassoCV, Ridge, RidgeCV, lasso_path
from sklearn.pipeline import Pipeline

from vigie.reporting.marks import Layer, Scale, chart, line, many_lines, rows, rule, words
from vigie.reporting.parts import Figure, Section, Table
from vigie.reporting.theme import FIRST, INK, MUTED, QUIET, SECOND
from vigie.reporting.wording import count, labels, number, percent
from vigie.training.leaderboard import Entry
from vigie.training.report.influence import column_names
from vigie.training.report.inputs import ReportInputs

_STEPS: Final = 60
"""Values of λ along a path."""

_MOST_LABELS: Final = 10
"""Coefficients that are named, the largest at the chosen λ; more would not fit."""


@dataclass(frozen=True, slots=True)
class Path:
    """Coefficients along a penalty.

    Attributes:
        penalties: λ, shape (k,), rising, as scikit-learn counts it for this model.
        coefficients: shape (k, n_columns), in target units per column unit (a deviation, where the model scales).
        chosen: the λ that was chosen.
        at_chosen: coefficients there, shape (n_columns,).
    """

    penalties: np.ndarray
    coefficients: np.ndarray
    chosen: float
    at_chosen: np.ndarray

    @property
    def n_zero(self) -> np.ndarray:
        """Number of coefficients that are exactly zero at each λ, shape (k,)."""
        zeros: np.ndarray = (self.coefficients == 0).sum(axis=1)
        return zeros


def regularisation(inputs: ReportInputs) -> Section | None:
    """Return the paths of the ridge and LASSO candidates; None for a task or a choice of candidates without them."""
    paths = [(entry, path) for entry in inputs.leaderboard.entries if (path := path_of(inputs, entry)) is not None]
    if not paths:
        return None
    figures: list[Figure] = []
    for entry, path in paths:
        figures += [_path_figure(inputs, entry, path), _zeros_figure(inputs, entry, path)]
    # paths in the first row, counts of zeros right below them
    ordered = figures[0::2] + figures[1::2]
    return Section(
        anchor="regularisation",
        title="What does the penalty do?",
        text=(
            (
                "Ridge adds λ times the sum of squared coefficients to the loss: its pull fades as a coefficient "
                "nears zero, "
                "so all shrink and none arrives. LASSO adds λ times the sum of absolute values: its pull never "
                "fades, so "
                "whatever helps less than λ is set to zero, and the model uses fewer features."
            ),
            "A larger λ trades variance for bias. The dashed line is the λ that cross-validation chose.",
        ),
        figures=tuple(ordered),
        tables=tuple(_table(inputs, entry, path) for entry, path in paths),
    )


def path_of(inputs: ReportInputs, entry: Entry) -> Path | None:
    """Return a regression entry's path over the training rows; None where the model has none.

    λ runs over the values where something happens: for LASSO up to the one at which the last coefficient reaches zero,
    for ridge from where nothing shrinks to where everything nearly has.
    """
    estimator = entry.model.named_steps["model"]
    if not isinstance(estimator, Ridge | RidgeCV | Lasso | LassoCV):
        return None
    columns, y = prepared(inputs, entry.model)
    centred, target = columns - columns.mean(axis=0), y - y.mean()
    if isinstance(estimator, Ridge | RidgeCV):
        chosen = float(getattr(estimator, "alpha_", None) or estimator.alpha)
        strengths = np.linalg.svd(centred, compute_uv=False) ** 2
        low, high = np.log10(max(strengths.min(), strengths.max() * 1e-6)) - 1.5, np.log10(strengths.max()) + 1
        penalties = np.logspace(min(low, np.log10(chosen) - 0.5), max(high, np.log10(chosen) + 0.5), _STEPS)
        return Path(penalties, ridge_path(centred, target, penalties), chosen, np.ravel(estimator.coef_))
    if isinstance(estimator, LassoCV) or type(estimator) is Lasso:  # Lasso's own subclasses are several tasks at once
        chosen = float(getattr(estimator, "alpha_", None) or estimator.alpha)
        last = np.log10(np.abs(centred.T @ target).max() / len(target))
        penalties = np.logspace(min(last - 4, np.log10(chosen) - 0.5), last + 0.1, _STEPS)
        _, coefficients, _ = lasso_path(centred, target, alphas=penalties[::-1], max_iter=10_000)
        return Path(penalties, coefficients[:, ::-1].T, chosen, np.ravel(estimator.coef_))
    return None


def prepared(inputs: ReportInputs, model: Pipeline) -> tuple[np.ndarray, np.ndarray]:
    """Return the training rows as the estimator saw them, and their outcomes."""
    train = inputs.split.train
    frame = inputs.dataset.frame.iloc[train]
    columns = model[:-1].transform(frame) if len(model) > 1 else frame
    return np.asarray(columns, dtype=np.float64), np.asarray(inputs.dataset.y[train], dtype=np.float64)


def ridge_path(centred: np.ndarray, target: np.ndarray, penalties: np.ndarray) -> np.ndarray:
    """Return ridge coefficients at every penalty from one singular value decomposition.

    Args:
        centred: shape (n, p), columns of mean 0.
        target: shape (n,), mean 0.
        penalties: shape (k,), as scikit-learn's ``Ridge(alpha)``.

    Returns:
        Shape (k, p).

    Source:
        Hastie, Tibshirani and Friedman (2009), The Elements of Statistical Learning, eq. 3.47.
    """
    left, strength, right = np.linalg.svd(centred, full_matrices=False)
    shrunk = strength / (strength**2 + penalties[:, None]) * (left.T @ target)
    found: np.ndarray = shrunk @ right
    return found


def _path_figure(inputs: ReportInputs, entry: Entry, path: Path) -> Figure:
    target = inputs.dataset.schema.target.name
    names = column_names(entry.model, inputs.dataset.schema)
    zero = [name for name, value in zip(names, path.at_chosen, strict=True) if value == 0]
    at_zero = f"{count(len(zero), 'coefficient')} of {len(names)} exactly zero" if zero else "none of them exactly zero"
    return Figure(
        name=f"path_{entry.name}",
        title=f"{entry.name}: coefficients along λ",
        alt=f"Coefficients of {entry.name} shrink towards zero as the penalty grows; at the chosen λ of "
        f"{number(path.chosen)} {at_zero}.",
        caption=f"{len(inputs.split.train):,} training rows. Blue: raises the prediction, orange: lowers it, "
        "grey: zero "
        f"at the chosen λ = {number(path.chosen)}, with {at_zero}.",
        spec=chart(
            _path_layers(names, path), _penalty_scale(path), Scale(f"coefficient, {target} per deviation", least=44)
        ),
    )


def _path_layers(names: list[str], path: Path) -> list[Layer]:
    order = np.argsort(-np.abs(path.at_chosen), kind="stable")
    kept = order[path.at_chosen[order] != 0]
    labelled = kept[:_MOST_LABELS]
    colours = [_colour(value) for value in path.at_chosen]
    data = [
        item
        for at in order[::-1]
        for item in rows(
            x=path.penalties,
            y=path.coefficients[:, at],
            name=[f"{at}"] * len(path.penalties),
            colour=[colours[at]] * len(path.penalties),
        )
    ]
    start = path.coefficients[0, labelled]
    apart = _apart(start, 0.06 * (np.ptp(path.coefficients) or 1.0))
    places = rows(x=np.full(len(labelled), path.penalties[0]), y=apart, text=labels([names[at] for at in labelled], 18))
    return [
        rule(y=0, colour=MUTED, dash=(1, 0)),
        many_lines(data),
        rule(x=path.chosen),
        words(places, INK, align="right", dx=-4),
    ]


def _colour(value: float) -> str:
    if value == 0:
        return QUIET
    return FIRST if value > 0 else SECOND


def _apart(values: np.ndarray, gap: float) -> np.ndarray:
    """Return positions in the same order, moved as little as keeps neighbours a gap apart (least squares)."""
    order, steps = np.argsort(values, kind="stable"), gap * np.arange(len(values))
    found = np.empty(len(values))
    found[order] = isotonic_regression(values[order] - steps) + steps
    return found


def _zeros_figure(inputs: ReportInputs, entry: Entry, path: Path) -> Figure:
    total = path.coefficients.shape[1]
    at_chosen = int((path.at_chosen == 0).sum())
    rising = rows(x=path.penalties, y=path.n_zero)
    return Figure(
        name=f"zeros_{entry.name}",
        title=f"{entry.name}: coefficients that are zero",
        alt=f"{at_chosen} of {total} coefficients are zero at the chosen λ; from {path.n_zero[0]} to {path.n_zero[-1]} "
        "along the path.",
        caption=f"Sparsity at the chosen λ: {at_chosen} of {total} ({percent(at_chosen / total)}). "
        f"{len(inputs.split.train):,} training rows.",
        spec=chart(
            [line(rising, FIRST, step=True), rule(x=path.chosen)],
            _penalty_scale(path),
            Scale("coefficients at zero", domain=(0, total), least=44),
            height=110,
        ),
    )


def _penalty_scale(path: Path) -> Scale:
    return Scale(
        "penalty λ", log=True, grid=False, format="~g", domain=(path.penalties[0] / _room(path), path.penalties[-1])
    )


def _room(path: Path) -> float:
    """Return the factor by which the axis is longer at its low end, where names stand."""
    return float((path.penalties[-1] / path.penalties[0]) ** 0.3)


def _table(inputs: ReportInputs, entry: Entry, path: Path) -> Table:
    steps = np.unique(np.linspace(0, len(path.penalties) - 1, 8).round().astype(int))
    names = column_names(entry.model, inputs.dataset.schema)
    order = np.argsort(-np.abs(path.at_chosen), kind="stable")
    heading: tuple[str, ...] = (
        "column",
        f"chosen: {number(path.chosen)}",
        *(number(path.penalties[at]) for at in steps),
    )
    lines: list[tuple[str, ...]] = [
        (names[at], number(path.at_chosen[at]), *(number(path.coefficients[step, at]) for step in steps))
        for at in order
    ]
    counts: tuple[Any, ...] = (
        "zero coefficients",
        str(int((path.at_chosen == 0).sum())),
        *(str(path.n_zero[at]) for at in steps),
    )
    return Table(
        caption=f"{entry.name}: coefficients at the chosen λ and at eight values along the path",
        columns=heading,
        rows=(*lines, counts),
        folded=True,
    )
