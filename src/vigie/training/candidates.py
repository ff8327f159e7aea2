"""The models that training can try, by name: for which task, how they are built, what they need, what to report."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import product
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import (
    ElasticNet,
    ElasticNetCV,
    Lasso,
    LassoCV,
    LinearRegression,
    LogisticRegression,
    Ridge,
)

from vigie.domain.task import Task
from vigie.training.boosters import catboost, lightgbm, xgboost
from vigie.training.preprocessing import Needs
from vigie.training.ridge import best_alpha
from vigie.training.tuner import TUNING_FOLDS

DUMMY = "dummy"
"""The model that looks at no feature; whatever does not beat it is worth nothing."""

BLEND = "blended_boosting"
"""The mean of the scores of two boosted models that were fitted anyway; see ``blend``."""

LINEAR = Needs(scaled=True, imputed=True)
TREES = Needs(scaled=False, imputed=True)
TREES_WITH_NAN = Needs(scaled=False, imputed=False)
NAMELESS = Needs(scaled=False, imputed=True, named=False)
NAMELESS_WITH_NAN = Needs(scaled=False, imputed=False, named=False)
TREES_WITH_MEANS = Needs(scaled=False, imputed=False, means=True)

LARGE_MULTICLASS = 100_000
"""Rows times classes above which the patient preset is left out: boosting fits as many trees a round as classes."""


class Simplicity(IntEnum):
    """How much a person must read to know what a model does; the lower, the sooner it is kept."""

    CONSTANT = 0
    LINEAR = 1
    FLEXIBLE = 2


@dataclass(frozen=True, slots=True)
class Candidate:
    """One model to try.

    Attributes:
        name: as users write it, and as the leaderboard shows it.
        tasks: where it applies.
        needs: what must stand before it.
        build: ``build(task, seed)`` returns an unfitted estimator.
        reported: attributes of the fitted estimator that a reader wants to see; those it lacks are skipped.
        simplicity: its place in the order of simplicity.
        tune: for a model without a path of its own: ``tune(columns, y)`` returns its best ``alpha``; None for others.
        build_fixed: for a model that tunes ``alpha`` by itself: the same one with ``alpha`` given; None for others.
        settle: for a model that finds a parameter on rows it sets aside while fitting: ``settle(estimators, growth)``
            returns the parameters, by name, that the folds' fitted estimators agree on, ``growth`` being how many times
            their rows the final fit has; it takes them, and learns from every row. None for others.
        members: fits of the model that is kept, each with a seed of its own; it is the mean of their scores.
        parts: candidates whose fitted models it is made of, by name; they are tried with it, and it costs no fit.
        params: set by the user, by name.
        grid: values to search through, by the parameter's name.
    """

    name: str
    tasks: frozenset[Task]
    needs: Needs
    build: Callable[[Task, int], Any]
    reported: tuple[str, ...] = ()
    simplicity: Simplicity = Simplicity.FLEXIBLE
    build_fixed: Callable[[Task, int], Any] | None = None
    tune: Callable[[np.ndarray, np.ndarray], float] | None = None
    settle: Callable[[Sequence[Any], float], dict[str, Any]] | None = None
    members: int = 1
    parts: tuple[str, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    grid: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    def estimator(self, task: Task, seed: int, point: Mapping[str, Any]) -> Any:
        """Return an unfitted estimator with the user's parameters and those of one grid point."""
        chosen = {**self.params, **point}
        build = self.build_fixed if self.build_fixed and "alpha" in chosen else self.build
        return build(task, seed).set_params(**chosen)

    def tunes(self, point: Mapping[str, Any]) -> bool:
        """Whether ``alpha`` is left to ``tune``."""
        return self.tune is not None and "alpha" not in self.params and "alpha" not in point

    def points(self) -> list[dict[str, Any]]:
        """Return every combination of the grid's values, in the order written; one empty point without a grid."""
        return [dict(zip(self.grid, values, strict=True)) for values in product(*self.grid.values())]


def _dummy(task: Task, seed: int) -> Any:
    return DummyClassifier(strategy="prior", random_state=seed) if task.is_classification else DummyRegressor()


def _ols(_task: Task, _seed: int) -> Any:
    return LinearRegression()


def _ridge(_task: Task, _seed: int) -> Any:
    return Ridge()


def _ridge_alpha(columns: np.ndarray, y: np.ndarray) -> float:
    return best_alpha(columns, y, np.logspace(-3, 2, 100), n_folds=TUNING_FOLDS)


def _lasso(_task: Task, _seed: int) -> Any:
    return LassoCV(alphas=np.logspace(-3, 0, 100), cv=TUNING_FOLDS, max_iter=10_000)


def _elastic_net(_task: Task, _seed: int) -> Any:
    # the shares of L1 that scikit-learn's own documentation suggests: more of them near the LASSO
    return ElasticNetCV(l1_ratio=[0.1, 0.5, 0.7, 0.9, 0.95, 0.99, 1.0], cv=TUNING_FOLDS, max_iter=10_000)


def _logistic(_task: Task, _seed: int) -> Any:
    return LogisticRegression(max_iter=2_000)


def _random_forest(task: Task, seed: int) -> Any:
    # leaves of five rows: a tenth of the size of full-grown trees, and better probabilities
    kind = RandomForestClassifier if task.is_classification else RandomForestRegressor
    return kind(n_estimators=100, min_samples_leaf=5, n_jobs=1, random_state=seed)


def _gradient_boosting(task: Task, seed: int) -> Any:
    kind = GradientBoostingClassifier if task.is_classification else GradientBoostingRegressor
    return kind(n_estimators=100, learning_rate=0.1, max_depth=3, random_state=seed)


def _hist_gradient_boosting(task: Task, seed: int) -> Any:
    """As it comes, but for a draw of half of the columns at every split: better on most tables, at no cost.

    The final model is the mean of two fits with other draws: on average better on every table that was tried (decision
    0017).
    """
    kind = HistGradientBoostingClassifier if task.is_classification else HistGradientBoostingRegressor
    return kind(max_features=0.5, random_state=seed)


def _patient_boosting(task: Task, seed: int) -> Any:
    """Small trees that each see half of the columns at a split, and a stop when thirty rounds bring nothing.

    Called patient and not tuned, because nothing is tuned to the table. Categories reach it as means of their levels.
    It gains most where many effects add up, where categories have many levels, and where noise is strong; the
    default wins where a few columns decide together. Each fold stops by a tenth of its rows; the final fit learns
    from all, for as many rounds as the folds let expect, twice with other draws of columns, and is the mean of both.
    Decision 0017 tells what was tried, and on what.
    """
    kind = HistGradientBoostingClassifier if task.is_classification else HistGradientBoostingRegressor
    return kind(
        learning_rate=0.14,
        max_iter=600,
        max_bins=64,
        max_leaf_nodes=12,
        max_features=0.5,
        min_samples_leaf=40,
        early_stopping=True,
        n_iter_no_change=30,
        validation_fraction=0.1,
        l2_regularization=10.0,
        random_state=seed,
    )


def _rounds(estimators: Sequence[Any], growth: float) -> dict[str, Any]:
    """Return the rounds of a fit on all rows: more than the folds stopped at, in the proportion of the rows.

    More rows bear more rounds before these turn to noise; that it is in proportion is a rule of thumb.
    """
    first = estimators[0]
    learnt = 1 - first.validation_fraction if first.do_early_stopping_ else 1.0
    found = float(np.mean([each.n_iter_ for each in estimators]))
    return {"early_stopping": False, "max_iter": min(first.max_iter, max(1, round(found * growth / learnt)))}


_ALL = frozenset(Task)
_QUANTITY = frozenset({Task.REGRESSION})
_CLASSES = frozenset({Task.BINARY, Task.MULTICLASS})
_BOOSTED = ("n_iter_", "learning_rate", "max_leaf_nodes")
_LINE = Simplicity.LINEAR
_BLENDED = ("hist_gradient_boosting", "patient_boosting")

CANDIDATES: dict[str, Candidate] = {
    candidate.name: candidate
    for candidate in (
        Candidate("ols", _QUANTITY, LINEAR, _ols, simplicity=_LINE),
        Candidate("ridge", _QUANTITY, LINEAR, _ridge, ("alpha",), _LINE, tune=_ridge_alpha),
        Candidate("lasso", _QUANTITY, LINEAR, _lasso, ("alpha_",), _LINE, lambda _t, _s: Lasso(max_iter=10_000)),
        Candidate(
            "elastic_net",
            _QUANTITY,
            LINEAR,
            _elastic_net,
            ("alpha_", "l1_ratio_"),
            _LINE,
            lambda _t, _s: ElasticNet(max_iter=10_000),
        ),
        Candidate("logistic", _CLASSES, LINEAR, _logistic, ("C",), _LINE),
        Candidate("random_forest", _ALL, TREES, _random_forest, ("n_estimators", "min_samples_leaf")),
        Candidate("gradient_boosting", _ALL, TREES, _gradient_boosting, ("n_estimators", "learning_rate", "max_depth")),
        Candidate("hist_gradient_boosting", _ALL, TREES_WITH_NAN, _hist_gradient_boosting, _BOOSTED, members=2),
        Candidate("patient_boosting", _ALL, TREES_WITH_MEANS, _patient_boosting, _BOOSTED, settle=_rounds, members=2),
        Candidate(BLEND, _ALL, TREES_WITH_MEANS, _patient_boosting, ("n_iter_",), parts=_BLENDED),
        Candidate("lightgbm", _ALL, NAMELESS_WITH_NAN, lightgbm, ("n_iter_", "learning_rate", "num_leaves")),
        Candidate("xgboost", _ALL, NAMELESS_WITH_NAN, xgboost, ("n_estimators", "learning_rate", "max_depth")),
        Candidate("catboost", _ALL, NAMELESS, catboost, ("tree_count_", "learning_rate_")),
        Candidate(DUMMY, _ALL, TREES, _dummy, ("strategy",), Simplicity.CONSTANT),
    )
}
"""Every candidate by name."""

DEFAULT_CANDIDATES: dict[Task, tuple[str, ...]] = {
    Task.REGRESSION: ("ridge", *_BLENDED, BLEND),
    Task.BINARY: ("logistic", *_BLENDED, BLEND),
    Task.MULTICLASS: ("logistic", *_BLENDED, BLEND),
}
"""What is tried when nobody says otherwise: a regularised line, boosting as it comes or with patience, both as one."""


def default_candidates(task: Task, *, n_rows: int, n_classes: int) -> Sequence[str]:
    """Return what is tried when nobody says otherwise; large multiclass tables are spared the patient preset."""
    names = DEFAULT_CANDIDATES[task]
    if task is Task.MULTICLASS and n_rows * n_classes > LARGE_MULTICLASS:
        return tuple(name for name in names if name not in ("patient_boosting", BLEND))
    return names
