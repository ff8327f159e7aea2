"""What is known of a fitted candidate: from its answers in every fold to its line on the leaderboard."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from vigie.domain.schema import Schema
from vigie.errors import DataError
from vigie.evaluation.intervals import measure
from vigie.evaluation.metrics import Metric, Scores, metrics_for
from vigie.training.boosters import booster_errors
from vigie.training.candidates import Candidate
from vigie.training.coefficients import coefficients_of
from vigie.training.cross_validation import cross_validated, mean_losses
from vigie.training.fitting import Fitting
from vigie.training.folds import Fold
from vigie.training.leaderboard import Entry
from vigie.training.preprocessing import columns_per_feature
from vigie.training.scoring import joined
from vigie.training.split import Split
from vigie.training.tuner import TUNING_FOLDS, TunerFigure, tuner_figure
from vigie.training.tuning import Search

Seconds = Callable[[], float]
"""Seconds since any fixed moment."""

Unservable = Callable[[Pipeline], str | None]
"""Says of a fitted pipeline why it could never serve, None when it can."""

# What numerical code raises when the data does not suit it; anything else is a fault of ours and must be seen.
_UNFIT = (ValueError, ArithmeticError, MemoryError, RuntimeError, TypeError, DataError)


@dataclass(frozen=True, slots=True)
class Judge:
    """What is the same for all candidates.

    Attributes:
        metric: what they are ranked by.
        folds: rows to learn from and rows to be checked on, of every repeat.
        repeats: how often the rows were dealt into folds.
        seed: of every random choice.
        seconds: what durations and the budget are measured by.
        budget_s: seconds for one search through a grid; None for no limit.
        unservable: asked about every final fit.
    """

    metric: Metric
    folds: Sequence[Fold]
    repeats: int
    seed: int
    seconds: Seconds
    budget_s: float | None
    unservable: Unservable

    @property
    def n_folds(self) -> int:
        """Folds of one repeat."""
        return len(self.folds) // self.repeats

    @property
    def growth(self) -> float:
        """How many times the rows that a fold learns from all folds together have."""
        return float(np.mean([(len(fit) + len(check)) / len(fit) for fit, check in self.folds]))


@dataclass(frozen=True, slots=True)
class Fitted:
    """One candidate, fitted in every fold and at last on all training rows, not judged yet.

    Attributes:
        model: the final fit.
        point: its parameters beside the candidate's own.
        by_fold: what the model of each fold says of the rows it did not learn from.
        test: what the final fit says of the held-out rows.
        search: how the grid was searched.
        tuner: the figure of its penalty, None without one.
        parts: the fitted models of a blend.
        notes: what the estimator warned of.
    """

    model: Pipeline
    point: Mapping[str, Any]
    by_fold: Sequence[Scores]
    test: Scores
    search: Search
    tuner: TunerFigure | None = None
    parts: tuple[Pipeline, ...] = ()
    notes: tuple[str, ...] = ()


def unfit() -> tuple[type[Exception], ...]:
    """Return what is raised where a model does not suit the data."""
    return (*_UNFIT, *booster_errors())


def judged(fitting: Fitting, split: Split, judge: Judge, fitted: Fitted, seconds: float) -> Entry:
    """Return what is known of a fitted candidate."""
    candidate, schema = fitting.candidate, fitting.dataset.schema
    model, checked, search = fitted.model, fitted.by_fold, fitted.search
    folds = {metric.name: _per_fold(metric, checked) for metric in metrics_for(schema.target.task)}
    estimator = model.named_steps["model"]
    return Entry(
        name=candidate.name,
        simplicity=candidate.simplicity,
        model=model,
        point=fitted.point,
        cv=cross_validated(
            judge.metric, np.array(folds[judge.metric.name]), judge.folds, n=len(split.train), repeats=judge.repeats
        ),
        folds=folds,
        test=measure(fitted.test, schema.target.task),
        test_scores=fitted.test,
        out_of_fold=joined(checked[: judge.n_folds]),
        out_of_fold_rows=np.concatenate([check for _, check in judge.folds[: judge.n_folds]]),
        losses=mean_losses(checked, judge.folds, schema.target.task, n_folds=judge.n_folds),
        params=_params(candidate, search, estimator),
        chosen={**search.point, **_found(candidate, search.point, estimator)},
        search=search if candidate.grid else None,
        tuner=fitted.tuner,
        seconds=seconds,
        coefficients=coefficients_of(model, schema),
        n_features_in=len(schema.features),
        n_features_kept=_n_kept(model, schema),
        notes=fitted.notes,
        by_fold=tuple(checked),
        parts=fitted.parts,
    )


def _per_fold(metric: Metric, checked: Sequence[Scores]) -> tuple[float, ...]:
    return tuple(metric.compute(scores) for scores in checked)


def tuner_of(
    fitting: Fitting, model: Pipeline, rows: np.ndarray, point: Mapping[str, Any], n_folds: int
) -> TunerFigure | None:
    """Return the figure of a penalty on the training rows as the final fit prepared them; None without a penalty."""
    candidate = fitting.candidate
    if candidate.tune is None and candidate.build_fixed is None:
        return None
    tuned = "alpha" not in {**candidate.params, **point}
    columns = np.asarray(model[:-1].transform(fitting.dataset.frame.iloc[rows]), dtype=np.float64)
    own = getattr(model[-1], "cv", None)
    tuner_folds = own if isinstance(own, int) else TUNING_FOLDS
    return tuner_figure(
        model[-1], columns, fitting.dataset.y[rows], n_folds=tuner_folds if tuned else n_folds, tuned=tuned
    )


def _params(candidate: Candidate, search: Search, estimator: Any) -> dict[str, str]:
    """Return what a reader wants to know, as text: the user's parameters, the search's, then what the fit says."""
    reported = {name: getattr(estimator, name) for name in candidate.reported if hasattr(estimator, name)}
    values = {**{name.rstrip("_"): value for name, value in reported.items()}, **candidate.params, **search.point}
    return {name: f"{value:.6g}" if isinstance(value, float) else str(value) for name, value in values.items()}


def _found(candidate: Candidate, point: Mapping[str, Any], estimator: Any) -> Mapping[str, Any]:
    """Return what was tuned or found while fitting, as Python numbers; a last ``_`` is scikit-learn's mark."""
    names = [name for name in candidate.reported if name.endswith("_") and hasattr(estimator, name)]
    if candidate.tunes(point):
        names.append("alpha")
    return {name.rstrip("_"): np.asarray(getattr(estimator, name)).item() for name in names}


def _n_kept(model: Pipeline, schema: Schema) -> int | None:
    """Count features of which at least one column has a coefficient other than zero."""
    coefficients = getattr(model.named_steps["model"], "coef_", None)
    if coefficients is None:
        return None
    used = np.any(np.atleast_2d(coefficients) != 0, axis=0)
    widths = list(columns_per_feature(model, schema).values())
    return sum(bool(part.any()) for part in np.split(used, np.cumsum(widths)[:-1]))
