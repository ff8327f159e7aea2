"""The expressions that turn a request's values into a model's columns, and what each of them yields.

["in", i]                     feature i as text, missing or not
["num", ["in", i]]            feature i as a float, NaN when missing
["fill", e, c]                c where e is missing
["isna", e]                   1.0 where e is missing, else 0.0
["sub"|"add"|"mul"|"div", e, c]   one rounding each, never folded
["clip", e, low, high]        NaN stays
["finite", e]                 e; a row in which it is infinite is refused, as the next step would refuse it
["tab", e, [[key, value], ...], unknown, missing]   a lookup; null refuses, "nan" is NaN
["code", e, [[key, i], ...]]  a category's place, -1 for unknown and missing
["const", c]
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from vigie.domain.schema import Schema
from vigie.inference.compiled.layout import require

MAX_DEPTH = 64
MAX_OPERATIONS = 60_000
"""In all columns together: twenty thousand columns that are filled and scaled."""

MAX_INTEGER = 2**53
NAN = "nan"
"""How a table says NaN, which JSON cannot."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What an expression yields; ``n_codes`` counts the places of a category column."""

    word: str
    n_codes: int = 0


NUMBER, TEXT = Kind("number"), Kind("text")

ARITHMETIC = ("sub", "add", "mul", "div")


def check_columns(cols: Sequence[Any], schema: Schema) -> list[Kind]:
    """Return what each column yields.

    Raises:
        BundleError: an expression is malformed, reads what there is not, or mixes numbers and text.
    """
    checker = _Checker(schema)
    return [checker.kind(expression, MAX_DEPTH) for expression in cols]


class _Checker:
    """The grammar, one method an operation."""

    def __init__(self, schema: Schema) -> None:
        self._n = 0
        self._numeric = [feature.kind.is_numeric for feature in schema.features]
        self._rules: dict[str, tuple[int, Callable[[list[Any], int], Kind]]] = {
            "in": (2, self._in),
            "num": (2, self._num),
            "fill": (3, self._fill),
            "isna": (2, self._isna),
            "clip": (4, self._clip),
            "finite": (2, self._finite),
            "tab": (5, self._tab),
            "code": (3, self._code),
            "const": (2, self._const),
        } | dict.fromkeys(ARITHMETIC, (3, self._arithmetic))

    def kind(self, expression: Any, depth: int) -> Kind:
        """Return what ``expression`` yields; ``depth`` levels may follow."""
        self._n += 1
        require(self._n <= MAX_OPERATIONS, f"has more than {MAX_OPERATIONS:,} operations in its columns")
        require(depth > 0, "has an expression that is nested too deep")
        well_formed = isinstance(expression, list) and expression and isinstance(expression[0], str)
        require(bool(well_formed) and expression[0] in self._rules, "has an expression that Vigie does not know")
        length, rule = self._rules[expression[0]]
        require(len(expression) == length, f"has an expression {expression[0]!r} of another length")
        return rule(expression, depth - 1)

    def _in(self, expression: list[Any], _depth: int) -> Kind:
        self._check_input(expression[1])
        require(not self._numeric[expression[1]], "reads a number as text")
        return TEXT

    def _num(self, expression: list[Any], _depth: int) -> Kind:
        inner = expression[1]
        require(isinstance(inner, list) and len(inner) == 2 and inner[0] == "in", "reads a number from no feature")
        self._check_input(inner[1])
        require(self._numeric[inner[1]], "reads text as a number")
        return NUMBER

    def _check_input(self, index: Any) -> None:
        require(type(index) is int and 0 <= index < len(self._numeric), "reads a feature that schema.json lacks")

    def _fill(self, expression: list[Any], depth: int) -> Kind:
        kind = self._plain(expression[1], depth)
        fits = isinstance(expression[2], str) if kind == TEXT else is_number(expression[2])
        require(fits, "fills a column with something of another kind")
        return kind

    def _isna(self, expression: list[Any], depth: int) -> Kind:
        self._plain(expression[1], depth)
        return NUMBER

    def _arithmetic(self, expression: list[Any], depth: int) -> Kind:
        self._number(expression[1], depth)
        require(is_number(expression[2]), "calculates with something that is no finite number")
        require(expression[0] != "div" or expression[2] != 0, "divides by zero")
        return NUMBER

    def _clip(self, expression: list[Any], depth: int) -> Kind:
        self._number(expression[1], depth)
        low, high = expression[2:]
        require(is_number(low) and is_number(high) and low <= high, "clips to no range")
        return NUMBER

    def _finite(self, expression: list[Any], depth: int) -> Kind:
        self._number(expression[1], depth)
        return NUMBER

    def _tab(self, expression: list[Any], depth: int) -> Kind:
        self._check_keys(expression[2], self._plain(expression[1], depth))
        answers = [value for _, value in expression[2]]
        others = [value for value in expression[3:] if value is not None]
        tabled = all(is_number(value) or value == NAN for value in (*answers, *others))
        require(tabled, "has a table that holds something else than numbers")
        return NUMBER

    def _code(self, expression: list[Any], depth: int) -> Kind:
        self._check_keys(expression[2], self._plain(expression[1], depth))
        places = sorted(place if type(place) is int else -1 for _, place in expression[2])
        require(places == list(range(len(places))), "numbers categories with gaps or twice")
        return Kind("code", len(places))

    def _const(self, expression: list[Any], _depth: int) -> Kind:
        require(is_number(expression[1]), "has a constant that is no finite number")
        return NUMBER

    def _check_keys(self, pairs: Any, kind: Kind) -> None:
        listed = isinstance(pairs, list) and all(isinstance(pair, list) and len(pair) == 2 for pair in pairs)
        require(listed, "has a table that is no list of pairs")
        fit = all(isinstance(key, str) if kind == TEXT else is_number(key) for key, _ in pairs)
        require(fit, "has a table whose keys are of another kind than its column")
        require(len({key for key, _ in pairs}) == len(pairs), "has a table that names a key twice")

    def _plain(self, expression: Any, depth: int) -> Kind:
        kind = self.kind(expression, depth)
        require(kind in {NUMBER, TEXT}, "calculates with a category's place")
        return kind

    def _number(self, expression: Any, depth: int) -> None:
        require(self.kind(expression, depth) == NUMBER, "calculates with text")


def is_number(value: Any) -> bool:
    """Whether a JSON value is a number that float64 holds."""
    return (type(value) is float and isfinite(value)) or (type(value) is int and abs(value) <= MAX_INTEGER)


def source(expression: list[Any]) -> int:
    """Return the feature that a checked expression reads, -1 for a constant."""
    while expression[0] not in {"in", "const"}:
        expression = expression[1]
    return -1 if expression[0] == "const" else int(expression[1])
