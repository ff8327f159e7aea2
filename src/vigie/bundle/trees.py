"""Whether the arrays of every tree in a model stay inside themselves.

scikit-learn walks trees in compiled code without bounds checks: one altered child index ends the process. The model is
therefore walked once in Python, after loading and before the first prediction.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.ensemble._forest import BaseForest
from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
from sklearn.tree import BaseDecisionTree
from sklearn.tree._tree import NODE_DTYPE, Tree

from vigie.errors import BundleError

LEAF = -1
"""What scikit-learn writes as the child of a leaf."""

_GRADIENT_BOOSTING = (GradientBoostingClassifier, GradientBoostingRegressor)
_HIST_GRADIENT_BOOSTING = (HistGradientBoostingClassifier, HistGradientBoostingRegressor)


def check_trees(model: object) -> None:
    """Do nothing when every tree of the model can be walked with any row.

    Raises:
        BundleError: an index leaves its array, a number is missing, or a tree does not belong to its ensemble.
    """
    for part in _parts(model):
        if isinstance(part, Tree):
            _check_tree(part)
        elif isinstance(part, BaseDecisionTree) and hasattr(part, "tree_"):  # an ensemble keeps an unfitted one too
            _require(part.tree_.n_features == part.n_features_in_, "a tree reads other columns than its model is given")
        elif isinstance(part, BaseForest):
            _check_members(part, list(part.estimators_))
        elif isinstance(part, _GRADIENT_BOOSTING):
            _check_gradient_boosting(part)
        elif isinstance(part, _HIST_GRADIENT_BOOSTING):
            _check_hist_gradient_boosting(part)
        elif isinstance(part, TreePredictor):
            _check_predictor_nodes(part)


def _parts(model: object) -> Iterator[object]:
    """Yield everything the model is made of, each object once."""
    waiting, seen = [model], set[int]()
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        if isinstance(part, dict):
            waiting.extend(part.values())
        elif isinstance(part, (list, tuple, set, frozenset)):
            waiting.extend(part)
        elif isinstance(part, np.ndarray):
            waiting.extend(part.ravel().tolist() if part.dtype == object else ())
        else:
            waiting.extend(getattr(part, "__dict__", {}).values())


def _check_tree(tree: Any) -> None:
    # node_count comes from the file: scikit-learn lowers it to the nodes it has, but takes a smaller or negative one.
    n_nodes = tree.node_count
    _require(1 <= n_nodes == tree.capacity, "a tree counts other nodes than it holds")
    nodes, values = tree.__getstate__()["nodes"], tree.value
    _require(nodes.dtype == NODE_DTYPE, "a tree has nodes of an unknown shape")
    left, right, feature = nodes["left_child"], nodes["right_child"], nodes["feature"]
    inner = left != LEAF
    above = np.arange(n_nodes)
    _require(bool(np.all(right[~inner] == LEAF)), "a leaf has a child")
    for child in (left, right):
        # A child that stands below its parent cannot lead back to it: the walk ends.
        _require(bool(np.all((child > above)[inner] & (child < n_nodes)[inner])), "a child index leaves its tree")
    _require(
        bool(np.all((feature >= 0)[inner] & (feature < tree.n_features)[inner])), "a split reads a column it lacks"
    )
    # +inf is a threshold that scikit-learn writes: every number goes left, missing goes right.
    _require(not np.isnan(nodes["threshold"][inner]).any(), "a threshold is not a number")
    _require(bool(np.all(np.isfinite(values))), "a leaf holds a value that is not finite")


def _check_members(ensemble: Any, members: list[Any]) -> None:
    _require(bool(members), "an ensemble holds no trees")
    for member in members:
        _require(isinstance(member, BaseDecisionTree), "an ensemble holds something else than trees")
        same = member.n_features_in_ == ensemble.n_features_in_ and isinstance(member.tree_, Tree)
        _require(same, "a tree reads other columns than its ensemble")


def _check_gradient_boosting(model: Any) -> None:
    trees = model.estimators_
    _require(isinstance(trees, np.ndarray) and trees.ndim == 2, "an ensemble holds something else than trees")
    _check_members(model, trees.ravel().tolist())
    flat = all(member.tree_.n_outputs == 1 and member.tree_.max_n_classes == 1 for member in trees.ravel())
    _require(flat, "a boosted tree answers more than one number")
    # Compiled code adds column k's trees to column k of this array, however many columns it has.
    start = model._raw_predict_init(np.zeros((1, model.n_features_in_), dtype=np.float32))  # noqa: SLF001
    _require(start.shape == (1, trees.shape[1]), "an ensemble has other columns of trees than of answers")


def _check_hist_gradient_boosting(model: Any) -> None:
    # Category splits index bit sets whose size depends on further arrays; Vigie codes categories before the model.
    _require(model.is_categorical_ is None, "native category splits of hist gradient boosting are not read")
    for stage in model._predictors:  # noqa: SLF001 - the only place where scikit-learn keeps them
        for predictor in stage:
            _require(isinstance(predictor, TreePredictor), "an ensemble holds something else than trees")
            _check_predictor_nodes(predictor)
            inner = predictor.nodes["is_leaf"] == 0
            in_range = bool(np.all(predictor.nodes["feature_idx"][inner] < model.n_features_in_))
            _require(in_range, "a split reads a column it lacks")


def _check_predictor_nodes(predictor: Any) -> None:
    nodes = predictor.nodes
    _require(isinstance(nodes, np.ndarray) and nodes.ndim == 1 and len(nodes) > 0, "a tree has no nodes")
    _require(nodes.dtype == PREDICTOR_RECORD_DTYPE, "a tree has nodes of an unknown shape")
    inner = nodes["is_leaf"] == 0
    above = np.arange(len(nodes))
    for child in (nodes["left"].astype(np.int64), nodes["right"].astype(np.int64)):
        _require(bool(np.all((child > above)[inner] & (child < len(nodes))[inner])), "a child index leaves its tree")
    _require(bool(np.all(nodes["feature_idx"][inner] >= 0)), "a split reads a column it lacks")
    _require(not nodes["is_categorical"].any(), "native category splits of hist gradient boosting are not read")
    _require(not np.isnan(nodes["num_threshold"][inner]).any(), "a threshold is not a number")
    _require(bool(np.all(np.isfinite(nodes["value"]))), "a leaf holds a value that is not finite")


def _require(condition: bool, problem: str) -> None:  # noqa: FBT001 - reads as a sentence at every call
    if not condition:
        raise BundleError(f"model.skops is damaged: {problem}.")
