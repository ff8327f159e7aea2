"""How sure a linear model's coefficients are: the sandwich, at the price of one fit whatever the number of rows."""

from typing import Any

import numpy as np
from scipy.special import expit
from sklearn.linear_model import ElasticNet, Lasso, LinearRegression, LogisticRegression, Ridge

from vigie.training.tuner import plain


def standard_errors(estimator: Any, columns: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the standard error of each coefficient, robust to a spread of errors that differs from row to row.

    The penalty is held fixed. A coefficient that LASSO set to zero has no error here (NaN), and the others are judged
    as if it had never been there: an interval after a choice by the same rows is too short, for the bootstrap as well.

    Args:
        estimator: fitted, with one answer.
        columns: what it was fitted to, shape (n, p).
        y: outcomes, shape (n,); 0 and 1 for a classifier.

    Returns:
        Shape (p,); NaN everywhere for an estimator whose loss we do not know.

    Source:
        White (1980), A Heteroskedasticity-Consistent Covariance Matrix Estimator; the infinitesimal jackknife of
        Efron (1982), The Jackknife, the Bootstrap and Other Resampling Plans, ch. 6, gives the same.
    """
    coefficients = np.ravel(estimator.coef_)
    errors = np.full(len(coefficients), np.nan)
    squared = _squared_penalty(plain(estimator), len(y))
    if squared is None:
        return errors
    active = np.flatnonzero(coefficients)
    design = np.column_stack([columns[:, active], np.ones(len(y))]) if estimator.fit_intercept else columns[:, active]
    weights, residuals = _curvature(estimator, columns, y)
    shrunk = np.zeros(design.shape[1])
    shrunk[: len(active)] = squared
    bread = np.linalg.pinv(design.T @ (weights[:, None] * design) + np.diag(shrunk))
    slopes = design * residuals[:, None]
    slopes -= slopes.mean(axis=0)
    errors[active] = np.sqrt(np.diag(bread @ (slopes.T @ slopes) @ bread))[: len(active)]
    return errors


def _squared_penalty(simple: Any, n: int) -> float | None:
    """Return the weight of half the squared coefficients beside the rows' summed half-squares or log-loss."""
    if isinstance(simple, LinearRegression):
        return 0.0
    if isinstance(simple, Ridge):
        return float(simple.alpha)
    if type(simple) is Lasso:
        return 0.0
    if type(simple) is ElasticNet:
        return n * float(simple.alpha) * (1 - float(simple.l1_ratio))
    if isinstance(simple, LogisticRegression) and simple.class_weight is None:
        return (1 - float(simple.l1_ratio or 0.0)) / float(simple.C)
    return None


def _curvature(estimator: Any, columns: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each row's second derivative and its residual."""
    answer = columns @ np.ravel(estimator.coef_) + np.ravel(estimator.intercept_)[0]
    if isinstance(estimator, LogisticRegression):
        said = expit(answer)
        return said * (1 - said), y - said
    return np.ones(len(y)), y - answer
