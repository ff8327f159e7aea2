"""Two boosted models as one: the mean of their scores, written as one plain model over the columns of both.

Models that err in different places err less together, most where neither is far ahead. A sum of trees is one bigger
ensemble: nothing new has to be trusted, compiled or served, and since both were fitted and checked anyway, a blend
costs no fit. The mean is taken before the link, so for classes it is the geometric mean of the probabilities.
"""

from collections.abc import Mapping, Sequence
from copy import copy
from itertools import chain, zip_longest
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import softmax
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
from sklearn.pipeline import Pipeline

from vigie.evaluation.metrics import Scores

_Key = tuple[str, str, int]
"""A column that a tree reads: the part that made it, from which feature, and the how manieth of that feature."""

_LEAST = np.finfo(np.float64).tiny


def blended_scores(parts: Sequence[Scores]) -> Scores:
    """Return what the blend of some models says of rows, from what each of them says.

    Args:
        parts: of one task, about the same rows in the same order.
    """
    proba = [part.proba for part in parts if part.proba is not None]
    if not proba:
        return Scores(parts[0].y, np.mean([part.predicted for part in parts], axis=0))
    blended = softmax(np.mean([np.log(np.maximum(each, _LEAST)) for each in proba], axis=0), axis=1)
    return Scores(parts[0].y, blended.argmax(axis=1), blended)


def blended_model(parts: Sequence[Pipeline], frame: pd.DataFrame, y: np.ndarray) -> Pipeline:
    """Return one fitted pipeline that answers with the mean of the parts' scores.

    Args:
        parts: hist gradient boosting behind nothing, or behind one ``ColumnTransformer``; all fitted to the same rows,
            with one loss. None is changed.
        frame: those rows, shape (n, n_features).
        y: their outcomes, shape (n,).
    """
    columns, model = _without_trees(parts, frame, y)
    places = {key: place for place, key in enumerate(_keys(columns))}
    stages = [_stages(part, places, len(parts)) for part in parts]
    # by turns, so that the first rounds of a blend are the first rounds of each
    model._predictors = [stage for stage in chain.from_iterable(zip_longest(*stages)) if stage is not None]  # noqa: SLF001 - the only place where scikit-learn keeps them
    model._baseline_prediction = np.mean([part[-1]._baseline_prediction for part in parts], axis=0)  # noqa: SLF001 - idem
    return Pipeline([("model", model)] if columns is None else [("columns", columns), ("model", model)])


def _without_trees(
    parts: Sequence[Pipeline], frame: pd.DataFrame, y: np.ndarray
) -> tuple[ColumnTransformer | None, Any]:
    """Return what makes the columns of all parts, and a model that reads them and knows all but its trees."""
    steps, last = [_step(part) for part in parts], parts[-1][-1]
    if all(_keys(step) == _keys(steps[0]) for step in steps):
        return steps[0], copy(last)
    columns = _columns(parts)
    # a fit of one round knows all that a model is besides its trees: columns, classes, bins, loss
    model = clone(last).set_params(max_iter=1, early_stopping=False)
    model.fit(columns.fit_transform(frame, y), y)
    return columns, model.set_params(**last.get_params(deep=False))


def _step(part: Pipeline) -> ColumnTransformer | None:
    return part[0] if len(part) > 1 else None


def _columns(parts: Sequence[Pipeline]) -> ColumnTransformer:
    """Return, unfitted, what makes the columns of all parts."""
    widest: dict[str, tuple[str, Any, list[str]]] = {}
    for part in parts:
        for name, step, names in part[0].transformers:
            if name not in widest or len(names) > len(widest[name][2]):
                widest[name] = (name, clone(step) if step != "passthrough" else step, names)
    return clone(parts[0][0]).set_params(transformers=list(widest.values()))


def _keys(columns: ColumnTransformer | None) -> list[_Key]:
    """Return what each column is that a fitted transformer makes, in order."""
    if columns is None:
        return []
    keys: list[_Key] = []
    for name, _, features in columns.transformers_:
        made = columns.output_indices_[name]
        for feature in features if made.stop > made.start else ():
            keys += [(name, feature, number) for number in range((made.stop - made.start) // len(features))]
    return keys


def _stages(part: Pipeline, places: Mapping[_Key, int], n_parts: int) -> list[list[TreePredictor]]:
    """Return the trees of one part, round by round, with its share of the score and its columns where they now are."""
    where = np.array([places[key] for key in _keys(_step(part))], dtype=np.int64)
    return [[_moved(tree, where, n_parts) for tree in stage] for stage in part[-1]._predictors]  # noqa: SLF001 - idem


def _moved(tree: TreePredictor, where: np.ndarray, n_parts: int) -> TreePredictor:
    nodes = tree.nodes.copy()
    nodes["value"] /= n_parts
    if len(where):
        inner = nodes["is_leaf"] == 0
        nodes["feature_idx"][inner] = where[nodes["feature_idx"][inner]]
    return TreePredictor(nodes, tree.binned_left_cat_bitsets, tree.raw_left_cat_bitsets)
