"""What an opened bundle says of rows whose outcome is known: by its pipeline, or by its scorer where that is all."""

import numpy as np
import pandas as pd

from vigie.bundle.archive import Bundle
from vigie.errors import BundleError
from vigie.evaluation.metrics import Scores
from vigie.inference.compiled.scorer import CompiledScorer
from vigie.training.scoring import scores_of


def answers_of(bundle: Bundle, frame: pd.DataFrame, y: np.ndarray) -> Scores:
    """Return outcomes beside what the bundle's model says.

    Args:
        bundle: opened.
        frame: shape (n, n_features), made by ``domain.frame.model_frame`` for the bundle's schema.
        y: shape (n,), in the terms of ``Scores.y``.

    Raises:
        DataError: the compiled scorer cannot take a row.
    """
    if bundle.model is not None:
        return scores_of(bundle.model, bundle.schema.target.task, frame, y)
    if bundle.scorer is None:
        raise BundleError("The bundle holds neither a model nor a scorer.")
    scorer = CompiledScorer(bundle.scorer, bundle.schema)
    predictions = scorer.score({name: frame[name].tolist() for name in bundle.schema.names})
    if not bundle.schema.target.classes:
        return Scores(y, np.array([prediction.value for prediction in predictions], dtype=np.float64))
    proba = np.array([prediction.probabilities for prediction in predictions], dtype=np.float64)
    return Scores(y, proba.argmax(axis=1), proba)
