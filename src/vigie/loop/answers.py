"""What an opened bundle says of rows whose outcome is known: by its pipeline, or by its scorer where that is all."""

import numpy as np
import pandas as pd

from vigie.bundle.archive import Bundle
from vigie.errors import BundleError
from vigie.evaluation.metrics import Scores
from vigie.inference.compiled.scorer import CompiledScorer
from vigie.inference.sklearn_scorer import ask


def answers_of(bundle: Bundle, frame: pd.DataFrame, y: np.ndarray) -> Scores:
    """Return outcomes beside what the bundle's model says.

    Args:
        bundle: opened.
        frame: shape (n, n_features), made by ``domain.frame.model_frame`` for the bundle's schema.
        y: shape (n,), in the terms of ``Scores.y``.

    Raises:
        DataError: the model cannot take a row.
    """
    said = _said(bundle, frame)
    return Scores(y, said.argmax(axis=1), said) if bundle.schema.target.classes else Scores(y, said)


def _said(bundle: Bundle, frame: pd.DataFrame) -> np.ndarray:
    """Return probabilities, shape (n, n_classes), or numbers, shape (n,)."""
    if bundle.model is not None:
        question = bundle.model.predict_proba if bundle.schema.target.classes else bundle.model.predict
        return ask(question, bundle.schema, frame)
    if bundle.scorer is None:
        raise BundleError("The bundle holds neither a model nor a scorer.")
    scorer = CompiledScorer(bundle.scorer, bundle.schema)
    predictions = scorer.score({name: frame[name].tolist() for name in bundle.schema.names})
    return np.array([prediction.probabilities or prediction.value for prediction in predictions], dtype=np.float64)
