"""The figure by which a penalty looks good to its own tuner: shown beside the honest one, and believed nowhere.

RidgeCV and LassoCV fold a matrix that was prepared once, on all rows they are given. Whoever scales first and folds
afterwards, as most notebooks do, reads this figure; each of its folds is checked on rows that the scaler has seen, and
a tuned penalty is judged on the folds that chose it. It is here to be recognised, and ranks nothing.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.linear_model import (
    ElasticNet,
    ElasticNetCV,
    Lasso,
    LassoCV,
    LogisticRegression,
    LogisticRegressionCV,
    Ridge,
    RidgeCV,
)
from sklearn.model_selection import KFold, cross_val_score

TUNING_FOLDS = 10
"""In which the penalties are tuned: the notebook's ``cv=10``."""


@dataclass(frozen=True, slots=True)
class TunerFigure:
    """What a penalty scores on rows prepared together.

    Attributes:
        alpha: the penalty, chosen or fixed.
        tuned: whether it was chosen by a cross-validation of its own, whose folds these then are.
        rmse: mean of the folds' RMSEs, in the target's unit.
        folds: RMSE of each fold, consecutive rows.
    """

    alpha: float
    tuned: bool
    rmse: float
    folds: tuple[float, ...]


def tuner_figure(estimator: Any, columns: np.ndarray, y: np.ndarray, *, n_folds: int, tuned: bool) -> TunerFigure:
    """Return the optimistic figure of a fitted linear regression with a penalty.

    Args:
        estimator: with ``alpha``, or ``alpha_`` where it tuned itself.
        columns: training rows behind the preprocessing that was fitted on all of them, shape (n, p).
        y: their outcomes, shape (n,).
        n_folds: of consecutive rows; fewer are made of fewer rows.
        tuned: whether ``alpha`` was chosen on these rows.
    """
    simple = plain(estimator)
    folds = KFold(min(n_folds, len(y)))
    found = -cross_val_score(simple, columns, y, cv=folds, scoring="neg_root_mean_squared_error")
    return TunerFigure(float(simple.alpha), tuned, float(found.mean()), tuple(found.tolist()))


def plain(estimator: Any) -> Any:
    """Return an unfitted estimator with the penalty that a tuned one found, and no tuning of its own.

    Raises:
        AttributeError: the estimator tunes itself and is not fitted.
    """
    intercept = {"fit_intercept": getattr(estimator, "fit_intercept", True)}
    if isinstance(estimator, RidgeCV):
        return Ridge(alpha=float(estimator.alpha_), **intercept)
    if isinstance(estimator, LassoCV):
        return Lasso(alpha=float(estimator.alpha_), max_iter=estimator.max_iter, **intercept)
    if isinstance(estimator, ElasticNetCV):
        return ElasticNet(
            alpha=float(estimator.alpha_),
            l1_ratio=float(estimator.l1_ratio_),
            max_iter=estimator.max_iter,
            **intercept,
        )
    if isinstance(estimator, LogisticRegressionCV):
        return LogisticRegression(C=float(np.ravel(estimator.C_)[0]), max_iter=estimator.max_iter, **intercept)
    return clone(estimator)
