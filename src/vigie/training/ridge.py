"""The penalty of Ridge by cross-validation, for all values at once: a fold costs one eigendecomposition.

It chooses what scikit-learn's ``RidgeCV(alphas, cv=10)`` chooses, which fits every value in every fold: a thousand fits
where ten decompositions do.
"""

import numpy as np
from sklearn.model_selection import KFold


def best_alpha(X: np.ndarray, y: np.ndarray, alphas: np.ndarray, *, n_folds: int) -> float:
    """Return the penalty with the highest mean R² over consecutive folds; of equals, the first.

    Args:
        X: shape (n, p), finite; the intercept is fitted beside it and not penalised.
        y: shape (n,).
        alphas: candidates, above zero, shape (k,).
        n_folds: at least 2; fewer are made of fewer rows.

    Source:
        Hastie, Tibshirani and Friedman (2009), The Elements of Statistical Learning, section 3.4.1.
    """
    folds = KFold(min(n_folds, len(y))).split(X)
    merits = np.array([_r2_of_each(X[fit], y[fit], X[check], y[check], alphas) for fit, check in folds])
    return float(alphas[merits.mean(axis=0).argmax()])


def _r2_of_each(
    X: np.ndarray, y: np.ndarray, X_check: np.ndarray, y_check: np.ndarray, alphas: np.ndarray
) -> np.ndarray:
    centre, level = X.mean(axis=0), y.mean()
    centred = X - centre
    spectrum, axes = np.linalg.eigh(centred.T @ centred)
    along = axes.T @ (centred.T @ (y - level))
    shrunk = along[:, None] / (np.maximum(spectrum, 0.0)[:, None] + alphas)
    residuals = (y_check - level)[:, None] - (X_check - centre) @ axes @ shrunk
    total = float(np.square(y_check - y_check.mean()).sum())
    if total == 0.0:  # R² does not exist where all outcomes are equal: the fold has no say
        return np.zeros(len(alphas))
    r2: np.ndarray = 1.0 - np.square(residuals).sum(axis=0) / total
    return r2
