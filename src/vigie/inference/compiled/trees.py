"""Tree ensembles as generated functions: nested conditional expressions, about 150 nodes a function.

A missing value costs nothing: where it goes right the test is ``x <= t``, where it goes left ``not x > t``. Each
function is compiled by itself, because a syntax tree of 6 kB a node would otherwise be kept for all of them at once.

A sum in float32 is made of float64 operations: the sum of two float32 rounded to 53 bits and then to 24 is the sum
rounded to 24 (Figueroa 1995, When is double rounding innocuous?), and Veltkamp's splitting rounds to 24 bits, ties to
even, in three operations where a conversion would cost ten times as much.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from vigie.inference.compiled.arrays import depths
from vigie.inference.compiled.layout import Trees
from vigie.inference.compiled.source import ColumnSource, Row, define, literal

NODES_PER_FUNCTION = 150

MAX_GENERATED_NODES = 60_000
"""Beyond, building takes more than 0.6 s and 30 MB; the walker takes over."""

NUMBERS_PER_NODE = 8
"""Numbers in lists of leaves that cost as much to build as a node does, and three times as many as statements do."""

MAX_GENERATED_DEPTH = 90
"""Python refuses about 200 nested parentheses."""

SPLITTER = 2.0**29 + 1.0
"""Veltkamp's constant for the upper 24 of 53 bits."""

Raw = Callable[[Row], Sequence[float]]


def is_generated(spec: Trees) -> bool:
    """Whether the ensemble becomes code; otherwise it is walked."""
    return _weight(spec) <= MAX_GENERATED_NODES and max(depths(spec), default=0) <= MAX_GENERATED_DEPTH


def _weight(spec: Trees) -> int:
    """Return how much source there would be, in nodes; a leaf is written wherever it is reached."""
    n_nodes, n_trees, n_scores = len(spec.feat), len(spec.root), len(spec.base)
    if not spec.vector:
        return n_nodes + n_trees
    n_leaves = n_nodes + n_trees  # one more than nodes in every tree
    return n_nodes + n_leaves * n_scores // NUMBERS_PER_NODE + n_trees * n_scores


def generate(spec: Trees, columns: ColumnSource) -> Raw:
    """Return ``raw(row)``, the K sums over all trees.

    Args:
        spec: checked.
        columns: the statements that make the columns.
    """
    scores = [f"s{k}" for k in range(len(spec.base))]
    body = [f" {score}={literal(start)}" for score, start in zip(scores, spec.base, strict=True)]
    nodes = _Nodes(spec, columns)
    for number, (group, added) in enumerate(_groups(spec, nodes)):
        sums = scores if added is None else [scores[added]]
        looked_at = sorted({column for root in group for column in nodes.columns(root)})
        used = dict.fromkeys(columns.columns[column] for column in looked_at)
        name, arguments = f"g{number}", ",".join([*sums, *used])
        lines = [line for root in group for line in nodes.add(root, sums, vector=added is None)]
        define(name, arguments, [*lines, f" return {','.join(sums)}"], columns.globals)
        body.append(f" {','.join(sums)}={name}({arguments})")
    divided = scores if spec.div == 1.0 else [f"{score}/{literal(spec.div)}" for score in scores]
    return columns.function("raw", [*body, f" return ({','.join(divided)},)"])


def _groups(spec: Trees, nodes: "_Nodes") -> Iterator[tuple[list[int], int | None]]:
    """Yield runs of trees that add to the same score, in the order of that score's sum."""
    trees: dict[int | None, list[int]] = {None: spec.root}
    if not spec.vector:
        trees = {score: [] for score in range(len(spec.base))}
        for root, out in zip(spec.root, spec.out, strict=True):
            trees[out].append(root)
    for added, roots in trees.items():
        group: list[int] = []
        size = 0
        for root in roots:
            group.append(root)
            size += max(1, nodes.size(root))
            if size >= NODES_PER_FUNCTION:
                yield group, added
                group, size = [], 0
        if group:
            yield group, added


class _Nodes:
    """The source of each tree."""

    def __init__(self, spec: Trees, columns: ColumnSource) -> None:
        self._spec = spec
        self._names = columns.columns
        used = {cat for cat in spec.cat if cat >= 0}
        for cat in used:
            columns.globals[f"B{cat}"] = bytes(map(int, spec.cats[cat]))

    def add(self, root: int, sums: Sequence[str], *, vector: bool) -> list[str]:
        """Return the statements that add one tree to its score or scores."""
        if self._spec.single:
            return [f" t={sums[0]}+{self._expression(root)};c=t*{literal(SPLITTER)};{sums[0]}=c-(c-t)"]
        if not vector:
            return [f" {sums[0]}+={self._expression(root)}"]
        parts = [f"p{k}" for k in range(len(sums))]
        unpack = f" {','.join(parts)},={self._expression(root)}"
        return [unpack, *(f" {total}+={part}" for total, part in zip(sums, parts, strict=True))]

    def size(self, root: int) -> int:
        """Return how many internal nodes a tree has."""
        return sum(1 for _ in self._below(root))

    def columns(self, root: int) -> set[int]:
        """Return the columns that a tree looks at."""
        return {self._spec.feat[node] for node in self._below(root)}

    def _below(self, root: int) -> Iterator[int]:
        waiting = [root]
        while waiting:
            node = waiting.pop()
            if node >= 0:
                yield node
                waiting += (self._spec.left[node], self._spec.right[node])

    def _expression(self, node: int) -> str:
        spec = self._spec
        if node < 0:
            leaf = spec.leaf[~node]
            return f"({','.join(map(repr, leaf))},)" if isinstance(leaf, list) else f"({literal(leaf)})"
        left, right = self._expression(spec.left[node]), self._expression(spec.right[node])
        column = self._names[spec.feat[node]]
        if spec.cat[node] >= 0:
            return f"({left} if B{spec.cat[node]}[{column}] else {right})"
        threshold = literal(spec.thr[node])
        if spec.mleft[node]:
            return f"({right} if {column}>{threshold} else {left})"
        return f"({left} if {column}<={threshold} else {right})"


def walker(spec: Trees, columns: ColumnSource) -> Raw:
    """Return ``raw(row)`` that walks the arrays: no code to build, three to four times slower."""
    columns.globals["walk"] = _walk(spec)
    return columns.function("raw", [f" return walk(({','.join(columns.columns)},))"])


def _walk(spec: Trees) -> Callable[[Sequence[Any]], list[float]]:
    descend = _descend(spec)
    leaves: list[Any] = spec.leaf
    scores, base, div = range(len(spec.base)), spec.base, spec.div

    def walk(cells: Sequence[Any]) -> list[float]:
        sums = list(base)
        for leaf, out in zip(descend(cells), spec.out, strict=True):
            sums[out] += leaves[leaf]
        return sums if div == 1.0 else [total / div for total in sums]

    def walk_single(cells: Sequence[Any]) -> list[float]:
        sums = list(base)
        for leaf, out in zip(descend(cells), spec.out, strict=True):
            sums[out] = round24(sums[out] + leaves[leaf])
        return sums

    def walk_vector(cells: Sequence[Any]) -> list[float]:
        sums = list(base)
        for leaf in descend(cells):
            parts = leaves[leaf]
            for k in scores:
                sums[k] += parts[k]
        return sums if div == 1.0 else [total / div for total in sums]

    if spec.single:
        return walk_single
    return walk_vector if spec.vector else walk


def round24(x: float) -> float:
    """Return the nearest number of 24 bits, of two equally near the even one; ``x`` is far from overflowing."""
    spread = x * SPLITTER
    return spread - (spread - x)


def _descend(spec: Trees) -> Callable[[Sequence[Any]], Iterator[int]]:
    """Return what yields the leaf of every tree for one row."""
    feat, left, right, cat, mleft = spec.feat, spec.left, spec.right, spec.cat, spec.mleft
    thr = [float("inf") if threshold is None else threshold for threshold in spec.thr]
    cats = [bytes(map(int, bits)) for bits in spec.cats]
    has_categories = bool(cats)

    def plain(cells: Sequence[Any]) -> Iterator[int]:
        for root in spec.root:
            node = root
            while node >= 0:
                node = left[node] if cells[feat[node]] <= thr[node] else right[node]
            yield ~node

    def careful(cells: Sequence[Any]) -> Iterator[int]:
        for root in spec.root:
            node = root
            while node >= 0:
                x = cells[feat[node]]
                if cat[node] >= 0:
                    goes_left = cats[cat[node]][x]
                elif x != x:  # noqa: PLR0124 - NaN is the only value unlike itself
                    goes_left = mleft[node]
                else:
                    goes_left = x <= thr[node]
                node = left[node] if goes_left else right[node]
            yield ~node

    def descend(cells: Sequence[Any]) -> Iterator[int]:
        special = has_categories or any(x != x for x in cells)  # noqa: PLR0124 - NaN
        return careful(cells) if special else plain(cells)

    return descend
