"""CatBoost by its answers: which border each level of its symmetric trees asks about is read off its leaf numbers.

CatBoost writes its models to files only. It says, though, in which leaf of every tree a row falls, and the k-th bit of
that number is the answer to the tree's k-th question. A row that stands below every border falls in leaf 0; as one
feature climbs from border to border, a bit that turns on names its question.
"""

from typing import Any

import numpy as np

from vigie.bundle.compiler.expression import Block, UnsupportedError
from vigie.bundle.compiler.nodes import Leaf, NodeRun, Split, float32_thresholds

LINKS = {
    "RMSE": "identity",
    "MAE": "identity",
    "MAPE": "identity",
    "Quantile": "identity",
    "Huber": "identity",
    "Expectile": "identity",
    "Poisson": "exp",
    "Tweedie": "exp",
    "Logloss": "expit",
    "CrossEntropy": "expit",
    "MultiClass": "softmax",
}
"""What turns the raw score into the answer, by the name of the loss."""

_Question = tuple[int, float, bool]
"""Column, largest value that answers no, and whether a missing value answers no."""


def export(model: Any, block: Block) -> dict[str, Any]:
    """Return the parts of a spec.

    Raises:
        UnsupportedError: the model was fitted in a way that is not known to be reproduced.
    """
    params = model.get_all_params()
    loss = params["loss_function"].split(":")[0]
    if loss not in LINKS:
        raise UnsupportedError(f"the loss {loss!r} is not compiled")
    if params.get("grow_policy", "SymmetricTree") != "SymmetricTree" or model.get_cat_feature_indices():
        raise UnsupportedError("its trees are not symmetric, or look at categories of its own")
    scale, bias = model.get_scale_and_bias()
    if scale != 1.0:
        raise UnsupportedError("its sum is scaled")
    start = np.ravel(bias).tolist()
    run, n_scores = NodeRun(), len(start)
    end = 0
    leaves = model.get_leaf_values().reshape(-1, n_scores).tolist()
    for questions in _questions(model, len(block.columns)):
        begin, end = end, end + 2 ** len(questions)
        run.add_walk((0, 0), _Walk(questions, leaves[begin:end]).node, 0 if n_scores == 1 else None)
    run.add_walk(None, lambda _root: start[0] if n_scores == 1 else start, 0 if n_scores == 1 else None)  # added last
    return {
        "family": "trees",
        "cols": [column.expression for column in block.columns],
        **run.to_dict(),
        "base": [0.0] * n_scores,
        "div": 1.0,
        "link": LINKS[loss],
        "f32": False,  # the thresholds are rewritten, and a row that overflows is taken
        "inf": True,
        "nan": True,
    }


def _questions(model: Any, width: int) -> list[list[_Question]]:
    """Return what every tree asks, level by level; the answer to question k is bit k of the leaf's number."""
    found: list[list[_Question | None]] = [
        [None] * (int(n_leaves).bit_length() - 1) for n_leaves in model.get_tree_leaf_counts()
    ]
    for column, borders in model.get_borders().items():
        if borders:
            _climb(model, width, column, np.sort(np.array(borders, dtype=np.float32)), found)
    complete = [[question for question in questions if question is not None] for questions in found]
    if any(len(known) < len(asked) for known, asked in zip(complete, found, strict=True)):
        raise UnsupportedError("one of its trees asks about something else than a number's size")
    return complete


def _climb(model: Any, width: int, column: int, borders: np.ndarray, found: list[list[_Question | None]]) -> None:
    """Fill in the questions about one column."""
    rows = np.full((len(borders) + 2, width), -np.inf)
    with np.errstate(over="ignore"):  # beyond the largest float32 stands an infinity
        rows[1:-1, column] = np.nextafter(borders, np.float32(np.inf))
    rows[-1, column] = np.nan
    numbers = model.calc_leaf_indexes(rows, thread_count=1)
    if numbers[0].any():
        raise UnsupportedError("its trees do not start from leaf 0")
    thresholds = float32_thresholds(borders)
    for level in range(max(map(len, found), default=0)):
        on = numbers >> level & 1
        for tree in np.flatnonzero(on[-2]).tolist():
            border = int(on[1:-1, tree].argmax())
            found[tree][level] = (column, float(thresholds[border]), not on[-1, tree])


class _Walk:
    """A symmetric tree; a node is its level and the answers above it, as bits."""

    def __init__(self, questions: list[_Question], leaves: list[list[float]]) -> None:
        self._questions = questions
        self._leaves = leaves

    def node(self, position: tuple[int, int]) -> Split | Leaf:
        """Return the node at a level, behind these answers."""
        level, answers = position
        if level == len(self._questions):
            leaf = self._leaves[answers]
            return leaf if len(leaf) > 1 else leaf[0]
        column, threshold, missing_left = self._questions[level]
        no, yes = (level + 1, answers), (level + 1, answers | 1 << level)
        return Split(column, threshold, missing_left=missing_left, left=no, right=yes)
