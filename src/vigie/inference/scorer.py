"""What turns columns into predictions: scikit-learn on a frame, for now the only link of the chain."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from vigie.domain.frame import model_frame
from vigie.domain.prediction import Prediction
from vigie.domain.schema import Schema, Value
from vigie.errors import BundleError, DataError

HUGE = 1e15
"""A failing model is blamed on numbers beyond this: trees compare in float32, and a scaler may multiply first."""


class Scorer(Protocol):
    """A model that answers. Safe to call from several threads at once."""

    def score(self, columns: Mapping[str, Sequence[Value]]) -> list[Prediction]:
        """Return one prediction per row, in order.

        Args:
            columns: one sequence of equal length per feature of the schema.

        Raises:
            DataError: the model cannot take a number of this size.
            BundleError: the model's answer is no finite number.
        """
        ...


class SklearnScorer:
    """A fitted scikit-learn pipeline, asked with the same frame that it was fitted on.

    The column i of ``predict_proba`` is ``schema.target.classes[i]``, and the predicted class is the most probable one
    (the first of equals), so that an answer and its probability never contradict each other.

    Args:
        model: a fitted pipeline.
        schema: what it takes and what it predicts.

    Raises:
        BundleError: the model gives no probabilities, or knows other classes than the schema.
    """

    def __init__(self, model: Any, schema: Schema) -> None:
        self._schema = schema
        self._classes = schema.target.classes
        if schema.target.task.is_classification:
            _check_classes(model, schema)
            self._ask = model.predict_proba
        else:
            self._ask = model.predict

    def score(self, columns: Mapping[str, Sequence[Value]]) -> list[Prediction]:
        """Return one prediction per row, in order; see ``Scorer``."""
        frame = model_frame(self._schema, columns)
        try:
            with np.errstate(all="ignore"):  # an overflow shows as infinity below
                answers = np.asarray(self._ask(frame), dtype=np.float64)
        except (ValueError, OverflowError) as exc:
            raise self._too_large(columns) or exc from exc
        wanted = (len(frame), len(self._classes)) if self._classes else (len(frame),)
        if answers.shape != wanted:
            raise BundleError(f"The model answered an array of shape {answers.shape}, not {wanted}.")
        if not np.isfinite(answers).all():
            raise self._too_large(columns) or BundleError("The model answered something that is no finite number.")
        return [self._prediction(answer) for answer in answers.tolist()]

    def _prediction(self, answer: Any) -> Prediction:
        if not self._classes:
            return Prediction(answer)
        return Prediction(self._classes[answer.index(max(answer))], tuple(answer))

    def _too_large(self, columns: Mapping[str, Sequence[Value]]) -> DataError | None:
        """Return the error that names the features whose numbers no model could be asked with, if there are any."""
        numeric = [feature.name for feature in self._schema.features if feature.kind.is_numeric]
        guilty = [name for name in numeric if any(abs(value) > HUGE for value in _numbers(columns, name))]
        if not guilty:
            return None
        return DataError(
            f"The model cannot take a number as large as the one sent for {', '.join(map(repr, guilty))}.",
            remedy="Send numbers of the size that the model was trained on.",
        )


def _numbers(columns: Mapping[str, Sequence[Value]], name: str) -> list[float]:
    return [float(value) for value in columns[name] if isinstance(value, (int, float))]


def _check_classes(model: Any, schema: Schema) -> None:
    if not hasattr(model, "predict_proba"):
        raise BundleError("The model predicts classes without probabilities.", remedy="Use one that has predict_proba.")
    known = list(np.asarray(model.classes_).tolist())
    if known not in (list(range(len(schema.target.classes))), list(schema.target.classes)):
        raise BundleError("The model was fitted on other classes than schema.json names, or in another order.")
