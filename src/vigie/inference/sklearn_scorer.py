"""The last link of the chain: scikit-learn, asked with a frame. It takes whatever a pipeline can be made of."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from vigie.domain.frame import model_frame
from vigie.domain.prediction import Prediction
from vigie.domain.schema import Schema, Value
from vigie.errors import BundleError
from vigie.inference.refusals import overflow, refusal


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

    kind = "sklearn"

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
        answers = ask(self._ask, self._schema, model_frame(self._schema, columns))
        return [self._prediction(answer) for answer in answers.tolist()]

    def score_rows(self, rows: Sequence[tuple[Value, ...]]) -> list[Prediction]:
        """Return one prediction per row, in order; see ``Scorer``."""
        return self.score(dict(zip(self._schema.names, zip(*rows, strict=True), strict=True)))

    def _prediction(self, answer: Any) -> Prediction:
        if not self._classes:
            return Prediction(answer)
        return Prediction(self._classes[answer.index(max(answer))], tuple(answer))


def ask(question: Callable[[pd.DataFrame], Any], schema: Schema, frame: pd.DataFrame) -> np.ndarray:
    """Return what a model answers, all of it finite: probabilities, shape (n, n_classes), or numbers, shape (n,).

    Args:
        question: the model's ``predict_proba``, or ``predict`` where it predicts numbers.
        schema: what it takes and what it predicts.
        frame: shape (n, n_features), made by ``domain.frame.model_frame``.

    Raises:
        DataError: the model cannot take a row, and which feature of it is to blame.
        BundleError: what it answers is no answer.
    """
    classes = schema.target.classes
    try:
        with np.errstate(all="ignore"):  # an overflow shows as infinity below
            answers = np.asarray(question(frame), dtype=np.float64)
    except (ValueError, OverflowError) as exc:
        raise refusal(schema, _columns(frame, schema)) or exc from exc
    wanted = (len(frame), len(classes)) if classes else (len(frame),)
    if answers.shape != wanted:
        raise BundleError(f"The model answered an array of shape {answers.shape}, not {wanted}.")
    if not np.isfinite(answers).all():
        guilty = overflow(schema, _columns(frame, schema))
        raise guilty or BundleError("The model answered something that is no finite number.")
    return answers


def _columns(frame: pd.DataFrame, schema: Schema) -> dict[str, list[Value]]:
    return {name: frame[name].tolist() for name in schema.names}


def _check_classes(model: Any, schema: Schema) -> None:
    if not hasattr(model, "predict_proba"):
        raise BundleError("The model predicts classes without probabilities.", remedy="Use one that has predict_proba.")
    known = list(np.asarray(model.classes_).tolist())
    if known not in (list(range(len(schema.target.classes))), list(schema.target.classes)):
        raise BundleError("The model was fitted on other classes than schema.json names, or in another order.")
