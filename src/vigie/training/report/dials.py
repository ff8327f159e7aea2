"""Which single parameter makes each kind of estimator simpler or more flexible, and the values to try it at."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import (
    ElasticNet,
    Lasso,
    LogisticRegression,
    Ridge,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from vigie.training.tuner import plain


@dataclass(frozen=True, slots=True)
class Dial:
    """One parameter, from stiff to flexible or the other way round.

    Attributes:
        parameter: its name.
        meaning: in a reader's words.
        values: to try, rising.
        chosen: what the winner has; None where it has no bound.
        set_to: ``set_to(value)`` returns an unfitted estimator, otherwise as the winner's, with that value.
        flexible_when: ``high`` or ``low``.
    """

    parameter: str
    meaning: str
    values: np.ndarray
    chosen: float | None
    set_to: Callable[[float], Any]
    flexible_when: str


def dial_of(estimator: Any, n_values: int) -> Dial | None:
    """Return the dial of a fitted estimator; None where we know of none.

    Args:
        estimator: fitted.
        n_values: how many values to try.
    """
    simple = plain(estimator)
    for kinds, parameter, meaning, around, flexible_when in _DIALS:
        if isinstance(simple, kinds):
            chosen = getattr(simple, parameter)
            return Dial(
                parameter=parameter,
                meaning=meaning,
                values=around(chosen, n_values),
                chosen=None if chosen is None else float(chosen),
                set_to=partial(_set, simple, parameter),
                flexible_when=flexible_when,
            )
    return None


def _set(estimator: Any, parameter: str, value: float) -> Any:
    typed = round(value) if parameter in {"min_samples_leaf", "max_depth"} else value
    found = clone(estimator).set_params(**{parameter: typed})
    if isinstance(found, _FORESTS):
        found.set_params(n_estimators=min(found.n_estimators, _TREES))
    return found


def _decades(chosen: float | None, n_values: int) -> np.ndarray:
    """Return values over six decades with the chosen one in the middle."""
    centre = np.log10(chosen) if chosen else 0.0
    return np.logspace(centre - 3, centre + 3, 2 * (n_values // 2) + 1)


def _leaves(chosen: float | None, n_values: int) -> np.ndarray:
    own = np.array([chosen] if isinstance(chosen, int) else [], dtype=np.float64)
    return np.unique(np.concatenate([np.round(np.geomspace(1, 300, n_values)), own]))


def _depths(_chosen: float | None, n_values: int) -> np.ndarray:
    return np.unique(np.round(np.geomspace(1, 20, n_values)))


_TREES = 50
"""Trees of a forest whose dial is turned, at most: the shape of the curve does not need more."""

_FORESTS = (RandomForestClassifier, RandomForestRegressor, ExtraTreesClassifier, ExtraTreesRegressor)
_DIALS: tuple[tuple[Any, str, str, Callable[[float | None, int], np.ndarray], str], ...] = (
    ((Ridge, Lasso, ElasticNet), "alpha", "penalty λ (alpha)", _decades, "low"),
    ((LogisticRegression,), "C", "inverse penalty C", _decades, "high"),
    (_FORESTS, "min_samples_leaf", f"fewest rows in a leaf, {_TREES} trees", _leaves, "low"),
    ((DecisionTreeClassifier, DecisionTreeRegressor), "max_depth", "depth of the tree", _depths, "high"),
)
