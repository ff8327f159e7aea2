"""XGBoost from its own JSON: float32 rows, float32 thresholds, and sums that are rounded to float32 tree by tree."""

import json
from typing import Any

import numpy as np

from vigie.bundle.compiler.expression import Block, UnsupportedError
from vigie.bundle.compiler.nodes import Leaf, NodeRun, Split, float32_thresholds

LINKS = {
    "reg:squarederror": "identity",
    "reg:absoluteerror": "identity",
    "reg:pseudohubererror": "identity",
    "reg:quantileerror": "identity",
    "count:poisson": "exp32",
    "reg:gamma": "exp32",
    "reg:tweedie": "exp32",
    "binary:logistic": "expit32",
    "multi:softprob": "softmax32",
}
"""What turns the raw score into the answer, by the objective's name."""

LEAF = -1


def export(model: Any, block: Block) -> dict[str, Any]:
    """Return the parts of a spec.

    Raises:
        UnsupportedError: the model was fitted in a way that is not known to be reproduced.
    """
    booster = model.get_booster()
    whole = json.loads(bytes(booster.save_raw("json")))
    learner = whole["learner"]
    _check(model, learner)
    body = learner["gradient_booster"]["model"]
    kept = _n_trees(learner, body)
    run = NodeRun()
    for tree, out in zip(body["trees"][:kept], body["tree_info"], strict=False):
        run.add_walk(0, _Walk(tree).node, out)
    return {
        "family": "trees",
        "cols": [column.expression for column in block.columns],
        **run.to_dict(),
        "base": _start(booster, whole, len(block.columns)),
        "div": 1.0,
        "link": LINKS[learner["objective"]["name"]],
        "f32": False,  # the thresholds are rewritten, and a row that overflows is taken
        "inf": True,
        "nan": True,
        "single": True,
    }


def _check(model: Any, learner: dict[str, Any]) -> None:
    objective, kind = learner["objective"]["name"], learner["gradient_booster"]["name"]
    if objective not in LINKS:
        raise UnsupportedError(f"the objective {objective!r} is not compiled")
    if kind != "gbtree":
        raise UnsupportedError(f"the booster {kind!r} is not compiled")
    if learner["learner_model_param"]["num_target"] != "1":
        raise UnsupportedError("it predicts several targets at once")
    if not np.isnan(model.missing):
        raise UnsupportedError("it takes something else than NaN for missing")


def _n_trees(learner: dict[str, Any], body: dict[str, Any]) -> int:
    """Return how many trees answer: those up to the best round, where one was found."""
    best = learner["attributes"].get("best_iteration")
    return len(body["trees"]) if best is None else int(body["iteration_indptr"][int(best) + 1])


def _start(booster: Any, whole: dict[str, Any], width: int) -> list[float]:
    """Return what the sums start from: the answer of the same model with nothing in its leaves.

    How ``base_score`` becomes a score has changed from version to version; so the library is asked.
    """
    trees = whole["learner"]["gradient_booster"]["model"]["trees"]
    for tree in trees:
        pairs = zip(tree["left_children"], tree["split_conditions"], strict=True)
        tree["split_conditions"] = [0.0 if left == LEAF else condition for left, condition in pairs]
    empty = type(booster)()
    empty.load_model(bytearray(json.dumps(whole).encode()))
    margins = np.ravel(empty.inplace_predict(np.zeros((1, width)), predict_type="margin"))
    return [float(margin) for margin in margins.tolist()]


class _Walk:
    """The nodes of one tree by their number."""

    def __init__(self, tree: dict[str, Any]) -> None:
        if any(tree["split_type"]) or tree["tree_param"]["size_leaf_vector"] not in {"0", "1"}:
            raise UnsupportedError("its trees split by category or answer with several numbers")
        self._tree = tree
        conditions = np.array(tree["split_conditions"], dtype=np.float32)
        self._leaves = conditions.tolist()
        # x < t in float32 is x <= the float32 before t
        self._thresholds = float32_thresholds(np.nextafter(conditions, np.float32(-np.inf))).tolist()

    def node(self, number: int) -> Split | Leaf:
        """Return a node."""
        tree = self._tree
        left, right = tree["left_children"][number], tree["right_children"][number]
        if left == LEAF:
            return float(self._leaves[number])
        missing_left = bool(tree["default_left"][number])
        column, threshold = tree["split_indices"][number], self._thresholds[number]
        return Split(column, threshold, missing_left=missing_left, left=left, right=right)
