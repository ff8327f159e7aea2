"""LightGBM from its own dump: float64 thresholds, missing values by node, sums in the order of the trees."""

from collections.abc import Sequence
from math import inf, nextafter
from typing import Any

from vigie.bundle.compiler.expression import Block, Column, Expression, UnsupportedError
from vigie.bundle.compiler.nodes import Leaf, NodeRun, Split

LINKS = {
    "regression": "identity",
    "regression_l1": "identity",
    "huber": "identity",
    "fair": "identity",
    "quantile": "identity",
    "mape": "identity",
    "poisson": "exp",
    "gamma": "exp",
    "tweedie": "exp",
    "binary": "expit",
    "cross_entropy": "expit",
    "multiclass": "softmax",
}
"""What turns the raw score into the answer, by the objective's name."""


NOTHING = 1.0000000180025095e-35
"""1e-35 in float32: what is no larger counts as zero."""

INFINITE = 1e300


def export(model: Any, block: Block) -> dict[str, Any]:
    """Return the parts of a spec.

    Raises:
        UnsupportedError: the model was fitted in a way that is not known to be reproduced.
    """
    dump = model.booster_.dump_model()  # ends at the best round, as predict does
    if dump["average_output"]:
        raise UnsupportedError("a random forest of LightGBM is not compiled")
    n_scores = int(dump["num_tree_per_iteration"])
    trees = [tree["tree_structure"] for tree in dump["tree_info"]]
    if any("leaf_coeff" in tree for tree in dump["tree_info"]) or model.get_params().get("linear_tree"):
        raise UnsupportedError("its trees end in linear models")
    walk = _Walk(block.columns, _categorical(trees))
    run = NodeRun()
    for place, tree in enumerate(trees):
        run.add_walk(tree, walk.node, place % n_scores)
    return {
        "family": "trees",
        "cols": [column.expression for column in walk.columns],
        **run.to_dict(),
        "base": [0.0] * n_scores,  # where it starts from is inside the first tree
        "div": 1.0,
        "link": _link(dump["objective"]),
        "f32": False,
        "inf": True,
        "nan": True,
    }


def _link(objective: str) -> str:
    name, *options = objective.split()
    plain = all(option.split(":")[0] in {"num_class", "alpha", "tweedie_variance_power"} for option in options)
    if name not in LINKS or not (plain or options == ["sigmoid:1"]):
        raise UnsupportedError(f"the objective {objective!r} is not compiled")
    return LINKS[name]


def _categorical(trees: Sequence[dict[str, Any]]) -> set[int]:
    found: set[int] = set()
    waiting = list(trees)
    while waiting:
        node = waiting.pop()
        if "split_feature" in node:
            waiting += [node["left_child"], node["right_child"]]
            if node["decision_type"] == "==":
                found.add(node["split_feature"])
    return found


class _Walk:
    """The nodes of a dump as splits of our columns; those that are split by category hold their categories' places."""

    def __init__(self, columns: Sequence[Column], categorical: set[int]) -> None:
        self.columns = list(columns)
        self._codes: dict[int, list[int]] = {}
        for place in categorical:
            expression, codes = _as_places(self.columns[place].expression)
            self.columns[place] = Column(expression)
            self._codes[place] = codes

    def node(self, node: dict[str, Any]) -> Split | Leaf:
        """Return a node of the dump."""
        if "split_feature" not in node:
            return float(node["leaf_value"])
        column, left, right = node["split_feature"], node["left_child"], node["right_child"]
        if node["decision_type"] == "==":
            going = set(map(int, node["threshold"].split("||")))
            bits = "".join(str(int(code in going)) for code in self._codes[column])
            return Split(column, 0.0, missing_left=False, left=left, right=right, bits=bits)
        threshold = _threshold(float(node["threshold"]))
        if node["missing_type"] == "Zero":
            raise UnsupportedError("it takes zero for missing")
        # where no value was missing at fitting, a missing one counts as zero
        missing_left = bool(node["default_left"]) if node["missing_type"] == "NaN" else threshold >= 0.0
        return Split(column, threshold, missing_left=missing_left, left=left, right=right)


def _threshold(dumped: float) -> float:
    """Return the threshold that decides as LightGBM does, which reads next to nothing as zero before it compares.

    The dump says 1e300 for infinity, behind which there is only a missing value.
    """
    if dumped >= INFINITE:
        return inf
    if -NOTHING <= dumped < 0.0:
        return nextafter(-NOTHING, -inf)
    return NOTHING if 0.0 <= dumped <= NOTHING else dumped


def _as_places(expression: Expression) -> tuple[Expression, list[int]]:
    """Return an ordinal code as its category's place, and the codes by place.

    LightGBM sends every negative code, and a missing one, to the right: an unknown category must be one of those.
    """
    strange = UnsupportedError("it splits by category a column that is no ordinal code")
    if expression[0] != "tab":
        raise strange
    _, inner, pairs, unknown, absent = expression
    codes = [value for _, value in pairs]
    if not all(isinstance(code, float) and code.is_integer() and code >= 0 for code in codes):
        raise strange
    if not all(other == "nan" or (isinstance(other, float) and other <= -1.0) for other in (unknown, absent)):
        raise strange
    return ["code", inner, [[key, place] for place, (key, _) in enumerate(pairs)]], [int(code) for code in codes]
