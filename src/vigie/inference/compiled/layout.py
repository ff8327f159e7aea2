"""``scorer.json`` as typed values: the arrays and expressions that a compiled model is made of."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from vigie.errors import BundleError

FORMAT = 1
"""The layout that this reader knows."""

Int32 = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
Bit = Annotated[int, Meta(ge=0, le=1)]
Cells = Annotated[list[Any], Meta(max_length=20_000)]


class Linear(Struct, tag_field="family", tag="linear", forbid_unknown_fields=True, frozen=True):
    """``link(b + W x)``.

    Attributes:
        format: the layout's number.
        inputs: features of the schema.
        cols: one expression per column, see ``expressions``; n of them.
        W: K x n weights.
        b: K intercepts.
        link: ``identity``, ``expit`` or ``softmax``.
        classes: how many the model tells apart, 0 for a number.
    """

    format: int
    inputs: int
    cols: Cells
    W: list[list[float]]
    b: list[float]
    link: str
    classes: int


class Trees(Struct, tag_field="family", tag="trees", forbid_unknown_fields=True, frozen=True):
    """A sum of trees, started at ``base``, divided by ``div``, seen through ``link``.

    M internal nodes, F leaves, T trees, K scores.

    Attributes:
        format: the layout's number.
        inputs: features of the schema.
        cols: one expression per column.
        feat: M columns to compare.
        thr: M thresholds; None is +inf: only a missing value goes right.
        left: M children for ``x <= thr``; child >= 0 is a node, child < 0 the leaf ``~child``.
        right: M children otherwise.
        mleft: M bits: whether a missing value goes left.
        cat: M indices into ``cats``, -1 for a numeric split.
        cats: bit strings, one bit a category (goes left?), the last for unknown and missing.
        leaf: F numbers, or F lists of K numbers where a tree answers for every class.
        root: T first nodes, coded as children are.
        out: T indices of the score that the tree adds to; empty where leaves are lists.
        base: K numbers to start from.
        div: number of trees in a forest, else 1.
        link: ``identity``, ``exp``, ``expit``, ``expit2`` (of 2x), ``softmax`` or ``none`` (probabilities); with ``32``
            behind it, worked out in float32.
        f32: whether the model rounds its columns to float32, and refuses what overflows there.
        inf: whether it takes an infinity.
        nan: whether it takes a missing value.
        classes: how many the model tells apart, 0 for a number.
        single: whether every sum is rounded to float32, tree by tree.
    """

    format: int
    inputs: int
    cols: Cells
    feat: list[Int32]
    thr: list[float | None]
    left: list[Int32]
    right: list[Int32]
    mleft: list[Bit]
    cat: list[Int32]
    cats: list[str]
    leaf: list[float | list[float]]
    root: list[Int32]
    out: list[Int32]
    base: list[float]
    div: float
    link: str
    f32: bool
    inf: bool
    nan: bool
    classes: int
    single: bool = False

    @property
    def vector(self) -> bool:
        """Whether a leaf holds a number per score."""
        return bool(self.leaf) and isinstance(self.leaf[0], list)


Spec = Linear | Trees


def require(condition: bool, problem: str) -> None:  # noqa: FBT001 - reads as a sentence at every call
    """Do nothing when ``condition`` holds.

    Raises:
        BundleError: it does not.
    """
    if not condition:
        raise BundleError(f"scorer.json {problem}.")
