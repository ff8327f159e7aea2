"""Trees as one run of arrays: internal nodes in order, leaves apart, equal leaves once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vigie.bundle.compiler.expression import UnsupportedError

LEAF = -1
"""What scikit-learn writes as the child of a leaf."""

MAX_NODES = 500_000
"""Internal nodes that a compiled model may have; beyond, scikit-learn answers."""

FLOAT32_MAX = float(np.finfo(np.float32).max)
LAST_FINITE = 3.4028235677973362e38
"""The largest float64 that float32 does not round to infinity."""


@dataclass(frozen=True, slots=True)
class Split:
    """One internal node of a tree that is walked, see ``NodeRun.add_walk``.

    Attributes:
        column: that it looks at.
        threshold: a value up to it goes left; for a row of bits, nothing.
        missing_left: where a missing value goes; an unknown category goes with it.
        left: whatever stands for the child.
        right: likewise.
        bits: for categories, one a place: goes left?
    """

    column: int
    threshold: float
    missing_left: bool
    left: Any
    right: Any
    bits: str | None = None


Leaf = float | list[float]


class NodeRun:
    """Arrays that grow tree by tree; see ``inference.compiled.layout.Trees`` for their meaning."""

    def __init__(self) -> None:
        self.feat: list[int] = []
        self.thr: list[float | None] = []
        self.left: list[int] = []
        self.right: list[int] = []
        self.mleft: list[int] = []
        self.cat: list[int] = []
        self.cats: list[str] = []
        self.leaf: list[Any] = []
        self.root: list[int] = []
        self.out: list[int] = []
        self._leaves: dict[Any, int] = {}

    def add_tree(self, tree: Any, leaves: np.ndarray, out: int | None) -> None:
        """Append a ``sklearn.tree._tree.Tree``, whose columns are compared in float32.

        Args:
            tree: the fitted tree.
            leaves: what each node would answer, shape (n_nodes,) or (n_nodes, K).
            out: the score it adds to; None where leaves hold every score.
        """
        nodes = tree.__getstate__()["nodes"]
        inner = nodes["left_child"] != LEAF
        code = self._codes(inner, leaves)
        self.feat += nodes["feature"][inner].tolist()
        self.thr += _thresholds(float32_thresholds(nodes["threshold"][inner]))
        self.left += code[nodes["left_child"][inner]].tolist()
        self.right += code[nodes["right_child"][inner]].tolist()
        self.mleft += (nodes["missing_go_to_left"][inner] != 0).astype(int).tolist()
        self.cat += [LEAF] * int(inner.sum())
        self._plant(int(code[0]), out)

    def add_predictor(self, predictor: Any, features: Sequence[int], n_codes: Sequence[int], out: int) -> None:
        """Append a tree of hist gradient boosting.

        Args:
            predictor: a ``TreePredictor``.
            features: our column for each of its feature indices.
            n_codes: categories of each of our columns, 0 for numbers.
            out: the score it adds to.
        """
        nodes = predictor.nodes
        inner = nodes["is_leaf"] == 0
        code = self._codes(inner, nodes["value"])
        columns = [features[index] for index in nodes["feature_idx"][inner].tolist()]
        categorical = nodes["is_categorical"][inner] != 0
        self.feat += columns
        self.thr += _thresholds(np.where(categorical, 0.0, nodes["num_threshold"][inner]))
        self.left += code[nodes["left"][inner].astype(np.int64)].tolist()
        self.right += code[nodes["right"][inner].astype(np.int64)].tolist()
        mleft = (nodes["missing_go_to_left"][inner] != 0).astype(int).tolist()
        self.mleft += mleft
        for column, is_cat, bitset, missing in zip(
            columns, categorical.tolist(), nodes["bitset_idx"][inner].tolist(), mleft, strict=True
        ):
            if is_cat:
                bits = predictor.raw_left_cat_bitsets[bitset]
                self.cats.append("".join(str(_bit(bits, i)) for i in range(n_codes[column])) + str(missing))
            self.cat.append(len(self.cats) - 1 if is_cat else LEAF)
        self._plant(int(code[0]), out)

    def add_walk(self, start: Any, look: Callable[[Any], Split | Leaf], out: int | None) -> None:
        """Append a tree that is told node by node.

        Args:
            start: whatever stands for its root.
            look: returns the node that something stands for.
            out: the score it adds to; None where leaves hold every score.
        """
        root = 0
        waiting: list[tuple[Any, list[int], int]] = [(start, [], 0)]
        while waiting:
            handle, parents, place = waiting.pop()
            node = look(handle)
            code = self._add_split(node) if isinstance(node, Split) else ~self._leaf(node)
            if parents:
                parents[place] = code
            else:
                root = code
            if isinstance(node, Split):
                waiting += [(node.right, self.right, code), (node.left, self.left, code)]
        self._plant(root, out)

    def to_dict(self) -> dict[str, Any]:
        """Return the arrays by name."""
        names = ("feat", "thr", "left", "right", "mleft", "cat", "cats", "leaf", "root", "out")
        return {name: getattr(self, name) for name in names}

    def _add_split(self, split: Split) -> int:
        self.feat.append(split.column)
        self.thr += _thresholds(np.array([split.threshold]))
        self.left.append(LEAF)
        self.right.append(LEAF)
        self.mleft.append(int(split.missing_left))
        if split.bits is not None:
            self.cats.append(split.bits + str(int(split.missing_left)))
        self.cat.append(LEAF if split.bits is None else len(self.cats) - 1)
        return len(self.feat) - 1

    def _leaf(self, value: Leaf) -> int:
        place = self._leaves.setdefault(tuple(value) if isinstance(value, list) else value, len(self.leaf))
        if place == len(self.leaf):
            self.leaf.append(value)
        return place

    def _plant(self, root: int, out: int | None) -> None:
        self.root.append(root)
        if out is not None:
            self.out.append(out)
        if len(self.feat) > MAX_NODES:
            raise UnsupportedError(f"it has more than {MAX_NODES:,} tree nodes")

    def _codes(self, inner: np.ndarray, leaves: np.ndarray) -> np.ndarray:
        """Return for each node of a tree the place of the internal node, or ``~place`` of the leaf."""
        code = np.cumsum(inner) - 1 + len(self.feat)
        values = leaves.tolist()
        if not np.isfinite(leaves[~inner]).all():
            raise UnsupportedError("a leaf holds a value that is not finite")
        for node in np.flatnonzero(~inner).tolist():
            code[node] = ~self._leaf(values[node])
        return code


def float32_thresholds(thresholds: np.ndarray) -> np.ndarray:
    """Return thresholds that decide in float64 what scikit-learn decides after rounding the row to float32.

    Each becomes the largest float64 whose float32 rounding is at most the threshold: the middle between the largest
    float32 below and the next one, or, where the tie goes to the next one, the float64 before. Shape as given; beyond
    the largest float32, +inf.
    """
    thresholds = thresholds.astype(np.float64)
    above_all, below_all, largest = (
        thresholds > FLOAT32_MAX,
        thresholds < -FLOAT32_MAX,
        thresholds == FLOAT32_MAX,
    )
    bounded = np.where(above_all | below_all | largest, 0.0, thresholds)
    with np.errstate(over="ignore"):  # a step beyond the largest float32 is an infinity, and compares as one
        rounded = bounded.astype(np.float32)
        below = np.where(rounded.astype(np.float64) > bounded, np.nextafter(rounded, np.float32(-np.inf)), rounded)
        above = np.nextafter(below, np.float32(np.inf))
    middle = (below.astype(np.float64) + above.astype(np.float64)) / 2.0
    tie_stays = middle.astype(np.float32) == below
    turned = np.where(tie_stays, middle, np.nextafter(middle, -np.inf))
    turned = np.where(largest, LAST_FINITE, turned)
    return np.where(above_all, np.inf, np.where(below_all, -np.finfo(np.float64).max, turned))


def _thresholds(values: np.ndarray) -> list[float | None]:
    if np.isnan(values).any() or np.isneginf(values).any():
        raise UnsupportedError("a threshold is not a number")
    return [None if np.isposinf(value) else value for value in values.tolist()]


def _bit(words: np.ndarray, place: int) -> int:
    return int(words[place // 32]) >> (place % 32) & 1
