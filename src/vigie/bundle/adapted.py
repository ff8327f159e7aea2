"""A model fitted elsewhere, put behind the frame and the class order that every model of a bundle has.

Nothing is fitted here and nothing fitted is changed: a model that does not take the frame as it is, or numbers its
classes in another order, is wrapped, and the wrapper turns what goes in and what comes out.
"""

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from vigie.domain.schema import Schema, Target
from vigie.errors import BundleError, DataError, listed


class Adapted(BaseEstimator):  # type: ignore[misc]
    """A fitted estimator that was given other columns or other classes than a bundle's model is.

    Args:
        estimator: fitted; it is asked, never fitted again.
        order: for classes, which column of its probabilities belongs to each class of the schema; None for numbers.
        as_array: whether it was fitted on arrays, and is to be asked with one instead of the frame.
    """

    def __init__(self, estimator: Any, order: tuple[int, ...] | None = None, *, as_array: bool = False) -> None:
        self.estimator = estimator
        self.order = order
        self.as_array = as_array

    @property
    def classes_(self) -> np.ndarray:
        """Class indices, as in every model of a bundle; AttributeError for numbers, as scikit-learn has it."""
        if self.order is None:
            raise AttributeError("classes_")
        return np.arange(len(self.order))

    @property
    def keeps_order(self) -> bool:
        """Whether the estimator numbers its classes as the schema does, or has none."""
        return self.order is None or self.order == tuple(range(len(self.order)))

    def fit(self, _frame: Any, _y: Any = None) -> Self:
        """Refuse: what was fitted elsewhere stays as it was fitted.

        Raises:
            BundleError: always.
        """
        raise BundleError("A model that was fitted elsewhere is never fitted again.", remedy="Train a candidate.")

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def cells(self, frame: pd.DataFrame) -> Any:
        """Return the frame as the estimator was given it."""
        return frame.to_numpy() if self.as_array else frame

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray:
        """Return probabilities, shape (n_rows, n_classes), in the schema's order."""
        proba: np.ndarray = np.asarray(self.estimator.predict_proba(self.cells(frame)), dtype=np.float64)
        return proba[:, self.order]

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """Return numbers, or the index of the most probable class, shape (n_rows,)."""
        if self.order is None:
            return np.asarray(self.estimator.predict(self.cells(frame)), dtype=np.float64)
        found: np.ndarray = self.predict_proba(frame).argmax(axis=1)
        return found


def adapt(estimator: Any, schema: Schema) -> Pipeline:
    """Return a fitted estimator as the pipeline of a bundle; it is neither copied nor changed.

    Args:
        estimator: fitted on the columns of ``schema``, in its order, by name or as an array.
        schema: what the bundle will take and answer.

    Raises:
        DataError: it knows other classes than the target of ``schema``.
    """
    order = class_order(estimator, schema.target) if schema.target.task.is_classification else None
    as_array = getattr(estimator, "feature_names_in_", None) is None
    if as_array or order != (tuple(range(len(order))) if order is not None else None):
        return Pipeline([("model", Adapted(estimator, order, as_array=as_array))])
    return estimator if type(estimator) is Pipeline else Pipeline([("model", estimator)])


def class_order(estimator: Any, target: Target) -> tuple[int, ...]:
    """Return which column of the estimator's probabilities belongs to each class of the target.

    Raises:
        DataError: it gives no probabilities, or knows other classes.
    """
    name = type(estimator).__name__
    if not hasattr(estimator, "predict_proba"):
        raise DataError(
            f"{name} predicts classes without probabilities.",
            remedy="Register one that has predict_proba; CalibratedClassifierCV gives it to one that has none.",
        )
    known = list(estimator.classes_)
    if any(np.ndim(label) for label in known):
        raise DataError(f"{name} predicts several targets at once.", remedy="Register one model for each target.")
    known = np.asarray(estimator.classes_).tolist()
    if sorted(map(repr, known)) == sorted(map(repr, target.classes)) or _same_numbers(known, target):
        return tuple(known.index(label) for label in target.classes)
    raise DataError(
        f"{name} knows the classes {listed(known)}; in the table, {target.name!r} is {listed(target.classes)}.",
        remedy="Give the table with the labels that the model was fitted on.",
    )


def _same_numbers(known: list[Any], target: Target) -> bool:
    """Whether two sets of numbers or truth values are equal: 0.0, 0 and False are one class written in three ways."""
    every = (*known, *target.classes)
    return not any(isinstance(label, str) for label in every) and set(known) == set(target.classes)
