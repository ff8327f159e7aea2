"""Values that stand on a split or one step beside it, as the request would have to say them."""

from collections.abc import Iterator, Sequence
from math import isfinite
from typing import Any

import numpy as np

from vigie.bundle.compiler.expression import Expression


def edges(cols: Sequence[Expression], splits: Sequence[tuple[int, float]], *, most: int) -> list[tuple[int, float]]:
    """Return inputs that put a column on a threshold, or a step of float64 or float32 beside it.

    Args:
        cols: the model's columns as expressions of its inputs.
        splits: column and threshold of each split.
        most: how many pairs to return at most.

    Returns:
        Pairs of a feature's place and a finite value, spread evenly over the splits.
    """
    distinct = sorted(set(splits))
    found: list[tuple[int, float]] = []
    step = max(1, len(distinct) * 7 // max(most, 1))
    for column, threshold in distinct[::step]:
        inverse = _invert(cols[column], threshold)
        if inverse is not None:
            feature, value = inverse
            found += [(feature, beside) for beside in _beside(value) if isfinite(beside)]
    return found[:most]


def _invert(expression: Any, value: float) -> tuple[int, float] | None:
    """Return the input that makes ``expression`` about ``value``, None where a look-up stands between."""
    while expression[0] != "num":
        operation, inner = expression[0], expression[1]
        if operation not in {"sub", "add", "mul", "div", "fill", "clip", "finite"}:
            return None
        if operation in {"sub", "add", "mul", "div"}:
            value = _undo(operation, value, expression[2])
        expression = inner
    return int(expression[1][1]), value


def _undo(operation: str, value: float, constant: float) -> float:
    if operation == "sub":
        return value + constant
    if operation == "add":
        return value - constant
    if operation == "mul":
        return value / constant if constant else value
    return value * constant


def _beside(value: float) -> Iterator[float]:
    yield value
    yield float(np.nextafter(value, np.inf))
    yield float(np.nextafter(value, -np.inf))
    with np.errstate(over="ignore"):
        narrow = np.float32(value)
        yield float(narrow)
        yield float(np.nextafter(narrow, np.float32(np.inf)))
        yield float(np.nextafter(narrow, np.float32(-np.inf)))
