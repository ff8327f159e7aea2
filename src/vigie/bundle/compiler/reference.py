"""What a fitted pipeline itself says: the side of the parity gate that the library stands on."""

from copy import deepcopy
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.pipeline import Pipeline

from vigie.bundle.compiler import boosters


def single_job(model: Pipeline) -> Pipeline:
    """Return the pipeline, or a copy that uses one thread: with more, a forest adds its trees in any order."""
    named = {name: value for name, value in model.get_params().items() if name.split("__")[-1] == "n_jobs"}
    if all(value in {None, 1} for value in named.values()):
        return model
    copied: Pipeline = deepcopy(model)
    return copied.set_params(**dict.fromkeys(named, 1))


def raw_scores(model: Pipeline, frame: pd.DataFrame) -> np.ndarray | None:
    """Return the scores before the link, shape (n_rows, K).

    Args:
        model: a fitted pipeline.
        frame: rows that it answers.

    Returns:
        None where the answer is the score, or where scikit-learn does not show it.
    """
    estimator: Any = model
    cells: Any = frame
    while type(estimator) is Pipeline:
        *steps, (_, last) = estimator.steps
        for _, step in steps:
            cells = cells if isinstance(step, str) else step.transform(cells)
        estimator = last
    if isinstance(estimator, (GradientBoostingClassifier, HistGradientBoostingClassifier)):
        scores = estimator.decision_function(cells)
    elif isinstance(estimator, HistGradientBoostingRegressor):
        scores = estimator._raw_predict(cells)  # noqa: SLF001 - predict() shows it through the link only
    else:
        scores = boosters.raw_scores(estimator, cells)
    if scores is None:
        return None
    return np.asarray(scores, dtype=np.float64).reshape(len(frame), -1)
