"""Whether the arrays of a tree ensemble stay inside themselves and end every walk.

Children stand behind their parent, and each node is the child of one parent or the root of one tree: the walk ends,
and the code made of the nodes is as long as the nodes are many.
"""

from collections.abc import Sequence
from itertools import chain
from math import inf, isfinite

from vigie.inference.compiled.expressions import NUMBER, TEXT, Kind
from vigie.inference.compiled.layout import Trees, require

MAX_NODES = 500_000
"""Internal nodes; a row of a forest this large takes about a millisecond."""

MAX_TREES = 100_000
MAX_DEPTH = 5_000
"""Far beyond any real tree: a chain of half a million nodes is an attack on the reader's time."""

MAX_SCORES = 1_000

MAX_ADDITIONS = 1_000_000
"""Numbers that one row adds up, a tree with a list of scores counting all of them: some 30 ms."""


def finite(values: Sequence[float]) -> bool:
    """Whether every value is a finite number."""
    return all(map(isfinite, values))


def check_trees(spec: Trees, kinds: Sequence[Kind]) -> None:
    """Do nothing when every tree can be walked with any row.

    Raises:
        BundleError: with the first thing found wrong.
    """
    n = len(spec.feat)
    require(n <= MAX_NODES, f"has {n:,} nodes; at most {MAX_NODES:,} are read")
    require(len(spec.root) <= MAX_TREES, f"has {len(spec.root):,} trees; at most {MAX_TREES:,} are read")
    same = all(len(array) == n for array in (spec.thr, spec.left, spec.right, spec.mleft, spec.cat))
    require(same, "has node arrays of different lengths")
    _check_scores(spec)
    _check_children(spec)
    _check_depth(spec)
    _check_splits(spec, kinds)


def _check_scores(spec: Trees) -> None:
    n_scores = len(spec.base)
    require(1 <= n_scores <= MAX_SCORES, f"has {n_scores:,} scores; 1 to {MAX_SCORES:,} are read")
    require(finite(spec.base), "starts from something that is not finite")
    require(isfinite(spec.div) and spec.div >= 1.0, "divides by less than one tree")
    require(not spec.single or (spec.div == 1.0 and not spec.vector), "rounds a sum that is no sum of boosted trees")
    if spec.vector:
        rows = [leaf for leaf in spec.leaf if isinstance(leaf, list)]
        require(len(rows) == len(spec.leaf), "mixes leaves of one number with leaves of several")
        require(all(len(row) == n_scores for row in rows), "has a leaf with other numbers than scores")
        require(finite(list(chain.from_iterable(rows))), "has a leaf that is not finite")
        require(not spec.out, "names the score of trees that answer for all of them")
        added = len(spec.root) * n_scores
        require(added <= MAX_ADDITIONS, f"adds up {added:,} numbers a row; at most {MAX_ADDITIONS:,} are read")
        return
    numbers = [leaf for leaf in spec.leaf if not isinstance(leaf, list)]
    require(len(numbers) == len(spec.leaf), "mixes leaves of one number with leaves of several")
    require(finite(numbers), "has a leaf that is not finite")
    require(len(spec.out) == len(spec.root), "does not say for every tree which score it adds to")
    require(all(0 <= out < n_scores for out in spec.out), "has a tree that adds to a score outside the model")


def _check_children(spec: Trees) -> None:
    n, n_leaves = len(spec.feat), len(spec.leaf)
    entries = list(chain(spec.left, spec.right, spec.root))
    require(all(entry < n for entry in entries), "has a child index that leaves its array")
    require(all(~entry < n_leaves for entry in entries), "has a leaf index that leaves its array")
    for children in (spec.left, spec.right):
        ahead = all(child < 0 or child > node for node, child in enumerate(children))
        require(ahead, "has a node whose child stands before it")
    seen = bytearray(n)
    for entry in entries:
        if entry >= 0:
            require(not seen[entry], "has a node that is reached in two ways")
            seen[entry] = 1
    require(all(seen), "has a node that no tree reaches")


def _check_depth(spec: Trees) -> None:
    deepest = max(depths(spec), default=0)
    require(deepest <= MAX_DEPTH, f"has a tree {deepest:,} deep; at most {MAX_DEPTH:,} is read")


def depths(spec: Trees) -> list[int]:
    """Return how deep each node stands; a root is at 1."""
    found = [1] * len(spec.feat)
    for node, (left, right) in enumerate(zip(spec.left, spec.right, strict=True)):
        below = found[node] + 1
        if left >= 0:
            found[left] = below
        if right >= 0:
            found[right] = below
    return found


def _check_splits(spec: Trees, kinds: Sequence[Kind]) -> None:
    width = len(kinds)
    require(all(0 <= feat < width for feat in spec.feat), "has a split on a column that it lacks")
    require(all(t is None or -inf < t < inf for t in spec.thr), "has a threshold that is no finite number")
    require(all(-1 <= cat < len(spec.cats) for cat in spec.cat), "has a category split that leaves its table")
    require(all(set(bits) <= {"0", "1"} for bits in spec.cats), "has a category split that is no row of bits")
    require(all(kind != TEXT for kind in kinds), "has a column of text")
    for feat, cat in zip(spec.feat, spec.cat, strict=True):
        if cat < 0:
            require(kinds[feat] == NUMBER, "compares a category with a number")
        else:
            kind = kinds[feat]
            require(kind != NUMBER, "looks a number up among categories")
            fits = len(spec.cats[cat]) == kind.n_codes + 1
            require(fits, "has a category split with other categories than its column")
