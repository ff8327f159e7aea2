"""Whether the arrays of decision trees, forests and gradient boosting stay inside themselves.

scikit-learn walks trees in compiled code without bounds checks: one altered child index ends the process.
"""

from typing import Any

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor
from sklearn.ensemble._forest import BaseForest
from sklearn.tree import BaseDecisionTree
from sklearn.tree._tree import NODE_DTYPE, Tree

from vigie.errors import BundleError

LEAF = -1
"""What scikit-learn writes as the child of a leaf."""

_GRADIENT_BOOSTING = (GradientBoostingClassifier, GradientBoostingRegressor)


def check_tree_part(part: object) -> None:
    """Do nothing when ``part`` is no tree, or one that can be walked with any row.

    Raises:
        BundleError: an index leaves its array, a number is missing, or a tree does not belong to its ensemble.
    """
    if isinstance(part, Tree):
        _check_tree(part)
    elif isinstance(part, BaseDecisionTree) and hasattr(part, "tree_"):  # an ensemble keeps an unfitted one too
        require(isinstance(part.tree_, Tree), "a tree is something else")
        require(part.tree_.n_features == part.n_features_in_, "a tree reads other columns than its model is given")
    elif isinstance(part, BaseForest):
        _check_members(part, list(part.estimators_))
    elif isinstance(part, _GRADIENT_BOOSTING):
        _check_gradient_boosting(part)


def _check_tree(tree: Any) -> None:
    # node_count comes from the file: scikit-learn lowers it to the nodes it has, but takes a smaller or negative one.
    n_nodes = tree.node_count
    require(1 <= n_nodes == tree.capacity, "a tree counts other nodes than it holds")
    nodes, values = tree.__getstate__()["nodes"], tree.value
    require(nodes.dtype == NODE_DTYPE, "a tree has nodes of an unknown shape")
    left, right, feature = nodes["left_child"], nodes["right_child"], nodes["feature"]
    inner = left != LEAF
    above = np.arange(n_nodes)
    require(bool(np.all(right[~inner] == LEAF)), "a leaf has a child")
    for child in (left, right):
        # A child that stands below its parent cannot lead back to it: the walk ends.
        require(bool(np.all((child > above)[inner] & (child < n_nodes)[inner])), "a child index leaves its tree")
    require(bool(np.all((feature >= 0)[inner] & (feature < tree.n_features)[inner])), "a split reads a column it lacks")
    # +inf is a threshold that scikit-learn writes: every number goes left, missing goes right.
    require(not np.isnan(nodes["threshold"][inner]).any(), "a threshold is not a number")
    require(bool(np.all(np.isfinite(values))), "a leaf holds a value that is not finite")


def _check_members(ensemble: Any, members: list[Any]) -> None:
    require(bool(members), "an ensemble holds no trees")
    for member in members:
        require(isinstance(member, BaseDecisionTree), "an ensemble holds something else than trees")
        same = member.n_features_in_ == ensemble.n_features_in_ and isinstance(member.tree_, Tree)
        require(same, "a tree reads other columns than its ensemble")
        # How wide answers are is the ensemble's word: with a larger one, a row of answers would fill the memory.
        outputs, classes = getattr(ensemble, "n_outputs_", 1), getattr(ensemble, "n_classes_", None)
        require(member.tree_.n_outputs == outputs, "a tree gives other answers than its ensemble")
        known = classes is None or not isinstance(ensemble, BaseForest) or member.tree_.max_n_classes == np.max(classes)
        require(known, "a tree knows other classes than its ensemble")


def _check_gradient_boosting(model: Any) -> None:
    trees = model.estimators_
    require(isinstance(trees, np.ndarray) and trees.ndim == 2, "an ensemble holds something else than trees")
    _check_members(model, trees.ravel().tolist())
    flat = all(member.tree_.n_outputs == 1 and member.tree_.max_n_classes == 1 for member in trees.ravel())
    require(flat, "a boosted tree answers more than one number")
    # Compiled code adds column k's trees to column k of this array, however many columns it has.
    start = model._raw_predict_init(np.zeros((1, model.n_features_in_), dtype=np.float32))  # noqa: SLF001
    require(start.shape == (1, trees.shape[1]), "an ensemble has other columns of trees than of answers")


def require(condition: bool, problem: str) -> None:  # noqa: FBT001 - reads as a sentence at every call
    """Refuse the model unless ``condition`` holds."""
    if not condition:
        raise BundleError(f"model.skops is damaged: {problem}.")
