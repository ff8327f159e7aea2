"""DLE: the error of a regression from a second, small tree that learnt how large the first model's errors are.

The tree looks at the prediction and at the numeric features, and is stored as plain arrays. It is honest: one half of
the rows chooses where to cut, the other half measures the errors in the leaves.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeRegressor

from vigie.domain.schema import LARGEST_OUTCOME, Schema
from vigie.evaluation.metrics import METRICS, Scores
from vigie.monitoring.expected import Answers, Expected

LEAVES = 32
"""Leaves at most: enough to follow the size of errors, few enough to have rows in each."""

_DEPTH = 8
_ROWS_A_LEAF = 30
_NO_CUT = -1
_EDGE = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True, eq=False)
class ErrorTree:
    """Cuts and leaves of the tree; every array has one entry per node, the first node is the root.

    Attributes:
        columns: what it looks at: the prediction first, whose name is empty, then numeric features.
        column: index in ``columns`` of what is looked at, -1 in a leaf.
        threshold: values up to it go left.
        left: node, greater than its parent.
        right: the same.
        missing_left: whether a missing value goes left.
        rows: reference rows in the node that measured its errors.
        mean: mean absolute and mean squared error of these rows, shape (2, n_nodes).
        variance: of the two, between rows, shape (2, n_nodes).
    """

    columns: tuple[str, ...]
    column: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    missing_left: np.ndarray
    rows: np.ndarray
    mean: np.ndarray
    variance: np.ndarray

    def __post_init__(self) -> None:
        """Refuse what is no tree: a walk must end, in a leaf with rows."""
        n, places = len(self.column), np.arange(len(self.column))
        inner = self.column != _NO_CUT
        shapes = {len(getattr(self, name)) for name in ("threshold", "left", "right", "missing_left", "rows")}
        if not n or shapes != {n} or self.mean.shape != (2, n) or self.variance.shape != (2, n):
            raise ValueError("the arrays of an error tree are not of one length")
        for child in (self.left[inner], self.right[inner]):
            if (child <= places[inner]).any() or (child >= n).any():
                raise ValueError("an error tree has a branch that leads back or nowhere")
        if (self.column < _NO_CUT).any() or (self.column >= len(self.columns)).any():
            raise ValueError("an error tree looks at a column that it does not have")
        numbers = (self.threshold, self.mean, self.variance)
        if not all(np.isfinite(item).all() for item in numbers) or (self.rows < 1).any():
            raise ValueError("an error tree holds a value that is no number, or a node without rows")

    @classmethod
    def fit(cls, schema: Schema, frame: pd.DataFrame, scores: Scores) -> Self:
        """Fit on rows that the model had not learnt from, in an order that has nothing to do with their values.

        Args:
            schema: the features.
            frame: shape (n, n_features), at least two rows.
            scores: the model on the same rows.
        """
        columns = ("", *(feature.name for feature in schema.features if feature.kind.is_numeric))
        table = _table(columns, frame, scores.predicted)
        with np.errstate(over="ignore"):
            errors = np.abs(scores.y - scores.predicted)
        errors = np.minimum(errors, LARGEST_OUTCOME)  # a wild prediction has no variance of its squared error
        tree = DecisionTreeRegressor(
            max_leaf_nodes=LEAVES, max_depth=_DEPTH, min_samples_leaf=_ROWS_A_LEAF, random_state=0
        )
        with np.errstate(over="ignore", invalid="ignore"):  # it adds all numbers up to see whether one is missing
            found = tree.fit(table[::2], errors[::2]).tree_
        inner = found.children_left >= 0
        measured = cls(
            columns=columns,
            column=np.where(inner, found.feature, _NO_CUT),
            threshold=np.where(inner, found.threshold, 0.0),
            left=np.where(inner, found.children_left, 0),
            right=np.where(inner, found.children_right, 0),
            missing_left=np.asarray(found.missing_go_to_left, dtype=bool),
            rows=np.ones(len(inner)),
            mean=np.zeros((2, len(inner))),
            variance=np.zeros((2, len(inner))),
        )
        return measured._measured(table[1::2], errors[1::2])

    def expect(self, answers: Answers, frame: pd.DataFrame) -> dict[str, Expected]:
        """Return the expected mean absolute error and root mean squared error, by name.

        Args:
            answers: at least one row.
            frame: the features of the same rows.

        Source:
            NannyML's documentation, Direct loss estimation (DLE); honest leaves: Athey and Imbens (2016), Recursive
            partitioning for heterogeneous causal effects.
        """
        leaves = self._leaves(_table(self.columns, frame, answers.predicted))
        shares = np.bincount(leaves, minlength=len(self.column)) / len(answers)
        mean = self.mean @ shares
        error = np.sqrt(self.variance @ (shares / len(answers) + np.square(shares) / self.rows))
        root = float(np.sqrt(mean[1]))
        mae, rmse = METRICS["mae"], METRICS["rmse"]
        return {
            rmse.name: Expected(rmse.name, rmse.unit, root, float(error[1]) / (2 * root) if root > 0 else 0.0),
            mae.name: Expected(mae.name, mae.unit, float(mean[0]), float(error[0])),
        }

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"columns": list(self.columns)} | {name: getattr(self, name).tolist() for name in _ARRAYS}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild from ``to_dict``.

        Raises:
            ValueError: it is no tree.
        """
        arrays: dict[str, Any] = {name: np.asarray(data[name], dtype=kind) for name, kind in _ARRAYS.items()}
        return cls(columns=tuple(str(name) for name in data["columns"]), **arrays)

    def _leaves(self, table: np.ndarray) -> np.ndarray:
        """Return the leaf of each row, shape (n,)."""
        node = np.zeros(len(table), dtype=np.intp)
        rows = np.arange(len(table))
        while (inner := self.column[node] != _NO_CUT).any():
            seen = table[rows, np.maximum(self.column[node], 0)]
            goes_left = np.where(np.isnan(seen), self.missing_left[node], seen <= self.threshold[node])
            node = np.where(inner, np.where(goes_left, self.left[node], self.right[node]), node)
        return node

    def _measured(self, table: np.ndarray, errors: np.ndarray) -> Self:
        """Return the tree with what ``errors`` are in its leaves; a leaf without rows takes those of all."""
        leaf, size = self._leaves(table), len(self.column)
        rows = np.bincount(leaf, minlength=size)
        kinds = np.stack([errors, np.square(errors)])
        count = np.maximum(rows, 1)
        mean = np.stack([np.bincount(leaf, kind, size) for kind in kinds]) / count
        variance = np.stack([np.bincount(leaf, np.square(kind), size) for kind in kinds]) / count - np.square(mean)
        few = rows < 2
        mean[:, few] = kinds.mean(axis=1, keepdims=True)
        variance[:, few] = kinds.var(axis=1, keepdims=True)
        rows = np.where(few, len(errors), rows)
        return replace(self, rows=rows, mean=mean, variance=np.maximum(variance, 0.0))


_ARRAYS: dict[str, type] = {
    "column": np.intp,
    "threshold": np.float64,
    "left": np.intp,
    "right": np.intp,
    "missing_left": np.bool_,
    "rows": np.float64,
    "mean": np.float64,
    "variance": np.float64,
}


def _table(columns: tuple[str, ...], frame: pd.DataFrame, predicted: np.ndarray) -> np.ndarray:
    """Return what the tree looks at, shape (n, n_columns), in the precision that scikit-learn cuts at.

    It refuses to fit on numbers beyond that precision. At its edge they are on the same side of every threshold.
    """
    features = [frame[name].to_numpy(dtype=np.float64) for name in columns[1:]]
    table: np.ndarray = np.clip(np.column_stack([predicted, *features]), -_EDGE, _EDGE)
    return table.astype(np.float32)
