"""A spec that is out of place anywhere is refused at once, with a sentence of its own."""

import time

import msgspec
import pytest

from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.errors import BundleError
from vigie.inference.compiled.scorer import CompiledScorer

SCHEMA = Schema(
    (Feature("n", Kind.NUMBER, nullable=True), Feature("c", Kind.CATEGORY)), Target("y", Task.BINARY, ("no", "yes"))
)
NUMBER, PLACE = ["num", ["in", 0]], ["code", ["in", 1], [["x", 0], ["y", 1]]]


def trees(**changed):
    """Return a good spec: one numeric split above one categorical split, and a tree that is a leaf."""
    return {
        "family": "trees", "format": 1, "inputs": 2, "cols": [NUMBER, PLACE],
        "feat": [0, 1], "thr": [0.5, 0.0], "left": [1, -1], "right": [-2, -3], "mleft": [1, 0],
        "cat": [-1, 0], "cats": ["010"], "leaf": [0.25, -1.0, 2.0], "root": [0, -1], "out": [0, 0],
        "base": [0.5], "div": 1.0, "link": "expit", "f32": False, "inf": True, "nan": True, "classes": 2,
    } | changed  # fmt: skip


def linear(**changed):
    """Return a good weighted sum."""
    cols = [NUMBER, ["tab", ["in", 1], [["x", 1.0]], 0.0, 0.0]]
    spec = {"family": "linear", "format": 1, "inputs": 2, "cols": cols, "W": [[1.0, 2.0]], "b": [0.5]}
    return spec | {"link": "expit", "classes": 2} | changed


def expression(cell):
    """Return a weighted sum whose first column is ``cell``."""
    return linear(cols=[cell, NUMBER])


def deep(n):
    """Return an expression that is nested ``n`` levels."""
    cell = NUMBER
    for _ in range(n):
        cell = ["add", cell, 1.0]
    return cell


def chain(n):
    """Return a tree of ``n`` nodes below each other."""
    return trees(
        feat=[0] * n, thr=[0.5] * n, left=[*range(1, n), -1], right=[-1] * n, mleft=[0] * n, cat=[-1] * n, cats=[],
        root=[0], out=[0],
    )  # fmt: skip


TAMPERED = {
    "more sums than scores are read": (linear(W=[[1.0, 2.0]] * 1001, b=[0.5] * 1001), "has 1,001 scores"),
    "another layout": (trees(format=2), "layout 2"),
    "another number of features": (trees(inputs=3), "another number of features"),
    "another family": (trees(family="code"), "cannot be read"),
    "an unknown field": (trees(code="import os"), "cannot be read"),
    "child beyond the array": (trees(left=[2, -1]), "child index that leaves"),
    "child of itself": (trees(left=[0, -1]), "child stands before"),
    "child before its parent": (trees(right=[-2, 0]), "child stands before"),
    "leaf beyond the array": (trees(right=[-2, -4]), "leaf index that leaves"),
    "huge child": (trees(left=[2**40, -1]), "cannot be read"),
    "two ways to a node": (trees(right=[1, -3]), "two ways"),
    "two roots for a node": (trees(root=[0, 1]), "two ways"),
    "no way to a node": (trees(left=[-1, -1]), "no tree reaches"),
    "split on a column beyond": (trees(feat=[2, 1]), "split on a column"),
    "split on a negative column": (trees(feat=[-1, 1]), "split on a column"),
    "split on text": (trees(cols=[["in", 1], PLACE]), "column of text"),
    "arrays of other lengths": (trees(mleft=[1]), "different lengths"),
    "a bit of 2": (trees(mleft=[2, 0]), "cannot be read"),
    "true for a child": (trees(left=[True, -1]), "cannot be read"),
    "text for a leaf": (trees(leaf=["os", 1.0, 2.0]), "cannot be read"),
    "lists among leaves": (trees(leaf=[0.1, [0.1], 0.2]), "mixes leaves"),
    "a leaf of other width": (trees(leaf=[[0.1, 0.2]] * 3, out=[]), "other numbers than scores"),
    "a score outside": (trees(out=[0, 1]), "score outside"),
    "a tree without a score": (trees(out=[0]), "which score"),
    "no score": (trees(base=[]), "0 scores"),
    "divided by nothing": (trees(div=0.0), "divides by less"),
    "a number among categories": (trees(cat=[0, 0]), "looks a number up"),
    "a category among numbers": (trees(cat=[-1, -1]), "compares a category"),
    "a category table beyond": (trees(cat=[-1, 1]), "leaves its table"),
    "too few categories": (trees(cats=["01"]), "other categories"),
    "bits that are letters": (trees(cats=["0a0"]), "row of bits"),
    "an unknown link": (trees(link="exec"), "ends in a link"),
    "a number for a class": (trees(link="identity"), "ends in a link"),
    "three classes for two": (trees(classes=3), "another number of classes"),
    "a chain of 5,001 nodes": (chain(5_001), "deep; at most"),
    "weights of another width": (linear(W=[[1.0]]), "other weights"),
    "no weights": (linear(W=[], b=[]), "rows of weights"),
    "a sum for a probability": (linear(link="none", W=[[1.0, 2.0]] * 2, b=[0.0, 0.0]), "for a probability"),
    "an unknown expression": (expression(["eval", "1"]), "does not know"),
    "an expression that is code": (expression("__import__('os')"), "does not know"),
    "a short expression": (expression(["sub", NUMBER]), "another length"),
    "a deep expression": (expression(deep(70)), "nested too deep"),
    "an input beyond": (expression(["num", ["in", 2]]), "lacks"),
    "a negative input": (expression(["num", ["in", -1]]), "lacks"),
    "text as a number": (expression(["num", ["in", 1]]), "text as a number"),
    "a number as text": (expression(["in", 0]), "number as text"),
    "arithmetic on text": (expression(["sub", ["in", 1], 1.0]), "calculates with text"),
    "arithmetic with text": (expression(["sub", NUMBER, "x"]), "no finite number"),
    "a division by zero": (expression(["div", NUMBER, 0]), "by zero"),
    "an integer of 400 digits": (expression(["add", NUMBER, 10**400]), "no finite number|cannot be read"),
    "a fill of another kind": (expression(["fill", NUMBER, "x"]), "another kind"),
    "a range upside down": (expression(["clip", NUMBER, 1.0, 0.0]), "no range"),
    "a table of text": (expression(["tab", ["in", 1], [["x", "y"]], 0.0, 0.0]), "something else than numbers"),
    "a table with keys of numbers": (expression(["tab", ["in", 1], [[1, 1.0]], 0.0, 0.0]), "another kind"),
    "a table with a key twice": (expression(["tab", ["in", 1], [["x", 1], ["x", 2]], 0, 0]), "key twice"),
    "a table that is no table": (expression(["tab", ["in", 1], {"x": 1}, 0.0, 0.0]), "no list of pairs"),
    "categories with gaps": (trees(cols=[NUMBER, ["code", ["in", 1], [["x", 0], ["y", 2]]]]), "gaps"),
    "a category weighed": (linear(cols=[NUMBER, PLACE]), "no number"),
}


def opened(spec):
    """Return the scorer of a spec."""
    return CompiledScorer(msgspec.json.encode(spec) if isinstance(spec, dict) else spec, SCHEMA)


@pytest.mark.parametrize(("spec", "match"), TAMPERED.values(), ids=TAMPERED)
def test_a_tampered_spec_is_refused_with_its_own_sentence(spec, match):
    """In less than a second, and never by a crash."""
    try:
        content = msgspec.json.encode(spec)
    except OverflowError:
        content = msgspec.json.encode(expression(["add", NUMBER, 123456789])).replace(b"123456789", b"1" + b"0" * 400)
    start = time.process_time()
    with pytest.raises(BundleError, match=match):
        opened(content)
    assert time.process_time() - start < 5.0


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b'{"family":"trees"}', b"null"])
def test_bytes_that_are_no_spec_are_refused(content):
    """Garbage of any kind is a refusal."""
    with pytest.raises(BundleError, match="cannot be read"):
        opened(content)


def _nested(n_levels, n_keys):
    cell = NUMBER
    for _ in range(n_levels):
        cell = ["tab", cell, [[float(n), float(n)] for n in range(n_keys)], 0.0, 0.0]
    return cell


def _lists(n_trees, n_scores):
    bare = {name: [] for name in ("feat", "thr", "left", "right", "mleft", "cat", "cats", "out")}
    leaf, base = [[0.5 / n_scores] * n_scores], [0.0] * n_scores
    return trees(**bare, root=[-1] * n_trees, leaf=leaf, base=base, classes=n_scores, link="none")


MANY = Schema(SCHEMA.features, Target("y", Task.MULTICLASS, tuple(map(str, range(500)))))
DEAR = {
    "tables behind tables": (_nested, (60, 2000), SCHEMA),
    "one leaf of many scores, in every tree": (_lists, (2000, 500), MANY),
}


@pytest.mark.parametrize("name", DEAR)
def test_a_spec_within_its_limits_is_built_in_the_time_of_its_size(name):
    """What is nested or shared is not written out again at every place; a fifth of what opening may cost."""
    make, size, schema = DEAR[name]
    spec = expression(make(*size)) | {"W": [[1.0, 1.0]]} if make is _nested else make(*size)
    content, began = msgspec.json.encode(spec), time.process_time()
    CompiledScorer(content, schema)
    assert time.process_time() - began < 5.0  # it was a quarter of a minute


def test_operations_are_counted_over_all_columns():
    """Each column is short enough by itself."""
    with pytest.raises(BundleError, match="more than 60,000 operations"):
        CompiledScorer(msgspec.json.encode(linear(cols=[deep(60)] * 1000, W=[[1.0] * 1000])), SCHEMA)


def test_half_a_million_nodes_are_counted_before_anything_else():
    """A spec of more nodes than are read is refused in a moment."""
    spec = trees(**dict.fromkeys(("feat", "left", "right", "mleft", "cat"), [0] * 500_001), thr=[0.0] * 500_001)
    content, start = msgspec.json.encode(spec), time.process_time()
    with pytest.raises(BundleError, match="at most 500,000"):
        opened(content)
    assert time.process_time() - start < 5.0


def test_the_untouched_spec_answers_as_worked_by_hand():
    """0.5 + (n missing or up to 0.5: category y 0.25, else 2; above: -1) + 0.25, through the logistic function."""
    found = opened(trees()).score({"n": [None, 0.5, 0.5000001, 0.0], "c": ["y", "x", "x", None]})
    scores = [0.5 + 0.25 + 0.25, 0.5 + 2.0 + 0.25, 0.5 - 1.0 + 0.25, 0.5 + 2.0 + 0.25]
    assert [answer.probabilities[1] for answer in found] == pytest.approx(
        [1 / (1 + 2.718281828459045**-s) for s in scores]
    )
    assert [answer.value for answer in found] == ["yes", "yes", "no", "yes"]


def test_strings_of_a_spec_never_become_source():
    """A category that looks like code is looked up, not run."""
    poison = "'+__import__('os').system('true')+'"
    cols = [["tab", ["fill", ["in", 1], poison], [[poison, 3.0]], 0.0, 0.0], NUMBER]
    scorer = opened(linear(cols=cols, W=[[1.0, 0.0]], b=[0.0]))
    assert scorer.raw((1.0, poison)) == scorer.raw((1.0, None)) == (3.0,)
