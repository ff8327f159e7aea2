"""A weighted sum as one expression."""

from collections.abc import Callable, Sequence
from math import isfinite
from operator import mul
from typing import Any

from vigie.inference.compiled.expressions import source
from vigie.inference.compiled.layout import Linear
from vigie.inference.compiled.links import LINKS
from vigie.inference.compiled.source import ColumnSource, Row, literal

MAX_GENERATED_TERMS = 2_000
"""Weights written as source; beyond, lists are multiplied."""

TERMS_PER_STATEMENT = 60

RELATIVE_NOISE = 1e-14
"""How far two orders of the same sum may lie apart, relative to the sum of the absolute terms (measured: 6e-16)."""

Raw = Callable[[Row], Sequence[float]]


def generate(spec: Linear, columns: ColumnSource) -> Raw:
    """Return ``raw(row)``, the K weighted sums; a row with an infinite or missing column is refused."""
    cells = f"({','.join(columns.columns)},)" if columns.columns else "()"
    columns.globals["check"] = _checker(spec, columns.globals["cell"])
    scores = [f"s{k}" for k in range(len(spec.b))]
    if len(spec.W) * len(columns.columns) <= MAX_GENERATED_TERMS:
        body = [
            line
            for score, start, weights in zip(scores, spec.b, spec.W, strict=True)
            for line in _statements(score, start, weights, columns.columns)
        ]
    else:
        columns.globals["dot"] = _dot
        columns.globals |= {"W": spec.W, "b": spec.b}
        body = [f" cells={cells}", *(f" {score}=dot(W[{k}],cells,b[{k}])" for k, score in enumerate(scores))]
    settled = " and ".join(f"-I<{score}<I" for score in scores)
    return columns.function("raw", [*body, f" if not ({settled}): check({cells},r)", f" return ({','.join(scores)},)"])


def noise(spec: Linear, columns: ColumnSource) -> Callable[[Row], float]:
    """Return what tells how far scikit-learn's raw scores of a row may lie from ours: 1e-14 (|b| + sum |w x|).

    Behind a log link it is the answer that may lie so far away, relative to itself.
    """
    scores = generate(spec, columns)
    cells_of = columns.function(
        "cells", [f" return ({','.join(columns.columns)},)" if columns.columns else " return ()"]
    )

    def bound(row: Row) -> float:
        cells = cells_of(row)
        sizes = [
            abs(start) + sum(abs(weight * cell) for weight, cell in zip(weights, cells, strict=True))
            for start, weights in zip(spec.b, spec.W, strict=True)
        ]
        shift = RELATIVE_NOISE * float(max(sizes))
        return shift * LINKS["exp"](scores(row))[0] if spec.link == "exp" else shift

    return bound


def _statements(score: str, start: float, weights: Sequence[float], columns: Sequence[str]) -> list[str]:
    terms = [f"({literal(weight)})*{column}" for weight, column in zip(weights, columns, strict=True)]
    first, *rest = [terms[i : i + TERMS_PER_STATEMENT] for i in range(0, len(terms), TERMS_PER_STATEMENT)] or [[]]
    lines = [f" {score}={'+'.join([f'({literal(start)})', *first])}"]
    return [*lines, *(f" {score}={'+'.join([score, *chunk])}" for chunk in rest)]


def _dot(weights: Sequence[float], cells: Sequence[float], start: float) -> float:
    return sum(map(mul, weights, cells), start)


def _checker(spec: Linear, cell: Callable[[int, Row], Exception]) -> Callable[[Sequence[Any], Row], None]:
    features = [source(expression) for expression in spec.cols]

    def check(cells: Sequence[float], row: Row) -> None:
        """Blame the column; a sum of finite columns that overflows is an answer, as it is in scikit-learn."""
        for feature, value in zip(features, cells, strict=True):
            if feature >= 0 and not isfinite(value):
                raise cell(feature, row)

    return check
