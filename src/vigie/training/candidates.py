"""The models that training can try, by name: for which task, how they are built, what they need, what to report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
from sklearn.linear_model import LassoCV, LinearRegression, LogisticRegression, RidgeCV

from vigie.domain.task import Task
from vigie.errors import ConfigurationError, nearest
from vigie.training.preprocessing import Needs

DUMMY = "dummy"
"""The model that looks at no feature; whatever does not beat it is worth nothing."""

_LINEAR = Needs(scaled=True, imputed=True)
_TREES = Needs(scaled=False, imputed=True)
_TREES_WITH_NAN = Needs(scaled=False, imputed=False)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One model to try.

    Attributes:
        name: as users write it.
        tasks: where it applies.
        needs: what must stand before it.
        build: ``build(task, seed)`` returns an unfitted estimator.
        reported: attributes of the fitted estimator that a reader wants to see.
    """

    name: str
    tasks: frozenset[Task]
    needs: Needs
    build: Callable[[Task, int], Any]
    reported: tuple[str, ...] = ()


def _dummy(task: Task, seed: int) -> Any:
    return DummyClassifier(strategy="prior", random_state=seed) if task.is_classification else DummyRegressor()


def _ols(_task: Task, _seed: int) -> Any:
    return LinearRegression()


def _ridge(_task: Task, _seed: int) -> Any:
    return RidgeCV(alphas=np.logspace(-3, 2, 100), cv=10)


def _lasso(_task: Task, _seed: int) -> Any:
    return LassoCV(alphas=np.logspace(-3, 0, 100), cv=10, max_iter=10_000)


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
    kind = HistGradientBoostingClassifier if task.is_classification else HistGradientBoostingRegressor
    return kind(random_state=seed)


_ALL = frozenset(Task)
_QUANTITY = frozenset({Task.REGRESSION})
_CLASSES = frozenset({Task.BINARY, Task.MULTICLASS})

CANDIDATES: dict[str, Candidate] = {
    candidate.name: candidate
    for candidate in (
        Candidate("ols", _QUANTITY, _LINEAR, _ols),
        Candidate("ridge", _QUANTITY, _LINEAR, _ridge, ("alpha_",)),
        Candidate("lasso", _QUANTITY, _LINEAR, _lasso, ("alpha_",)),
        Candidate("logistic", _CLASSES, _LINEAR, _logistic, ("C",)),
        Candidate("random_forest", _ALL, _TREES, _random_forest, ("n_estimators", "min_samples_leaf")),
        Candidate(
            "gradient_boosting", _ALL, _TREES, _gradient_boosting, ("n_estimators", "learning_rate", "max_depth")
        ),
        Candidate(
            "hist_gradient_boosting",
            _ALL,
            _TREES_WITH_NAN,
            _hist_gradient_boosting,
            ("n_iter_", "learning_rate", "max_leaf_nodes"),
        ),
        Candidate(DUMMY, _ALL, _TREES, _dummy, ("strategy",)),
    )
}
"""Every candidate by name."""

DEFAULT_CANDIDATES: dict[Task, tuple[str, ...]] = {
    Task.REGRESSION: ("ridge", "lasso", "hist_gradient_boosting"),
    Task.BINARY: ("logistic", "random_forest", "hist_gradient_boosting"),
    Task.MULTICLASS: ("logistic", "random_forest", "hist_gradient_boosting"),
}
"""What is tried when nobody says otherwise."""


def candidates_for(task: Task, names: Sequence[str]) -> tuple[Candidate, ...]:
    """Return the named candidates in order, each once, the dummy last.

    Raises:
        ConfigurationError: a name is unknown or does not fit the task, or nothing but the dummy is named.
    """
    valid = [candidate.name for candidate in CANDIDATES.values() if task in candidate.tasks]
    for name in names:
        if name not in CANDIDATES:
            raise ConfigurationError(
                f"there is no candidate {name!r}.{nearest(name, valid)}",
                remedy=f"For {task.value}: {', '.join(valid)}.",
                key="training.candidates",
            )
        if name not in valid:
            raise ConfigurationError(
                f"candidate {name!r} does not do {task.value}.",
                remedy=f"For {task.value}: {', '.join(valid)}.",
                key="training.candidates",
            )
    chosen = dict.fromkeys(name for name in names if name != DUMMY)
    if not chosen:
        raise ConfigurationError(
            "no candidate is named besides the dummy.",
            remedy=f"For {task.value}: {', '.join(valid)}.",
            key="training.candidates",
        )
    return tuple(CANDIDATES[name] for name in (*chosen, DUMMY))
