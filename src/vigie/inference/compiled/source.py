"""Python source for a model's columns: one statement per distinct expression, numbers only, strings kept in tables.

What a bundle calls its features and categories never becomes source: names are ours, text stays in dictionaries.
"""

from collections.abc import Callable, Sequence
from math import inf, nan
from typing import Any

from vigie.domain.schema import Value
from vigie.errors import DataError
from vigie.inference.compiled.expressions import NAN, source
from vigie.inference.refusals import missing, too_large, unseen

MAX_SHARED_CELLS = 100_000
"""Above this many numbers, a block of indicator columns is looked up column by column, in smaller tables."""

OPERATORS = {"sub": "-", "add": "+", "mul": "*", "div": "/"}

Row = Sequence[Value]


def literal(number: float | None) -> str:
    """Return source that evaluates to exactly this float; None is NaN's and infinity's concern, so +inf."""
    if number is None or number == inf:
        return "I"
    return repr(float(number))


def as_text(value: Value) -> str | None:
    """Return a category as tables know it: str, None when missing."""
    return None if value is None or value != value else str(value)  # noqa: PLR0124 - NaN is unlike itself


class Refusals:
    """What generated code calls when a row cannot go on. Features are named, values are not."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def cell(self, feature: int, row: Row) -> DataError:
        """Return why a column that this feature feeds is not what the model takes."""
        value = row[feature]
        if as_text(value) is None:
            return missing([self._names[feature]])
        return unseen([self._names[feature]]) if isinstance(value, str) else too_large([self._names[feature]])

    def lookup(self, feature: int, row: Row) -> DataError:
        """Return why a table has no answer."""
        absent = as_text(row[feature]) is None
        return missing([self._names[feature]]) if absent else unseen([self._names[feature]])


class _Numbers:
    """One number for equal expressions, found without writing out again what they are nested in."""

    def __init__(self) -> None:
        self._by_object: dict[int, int] = {}
        self._by_content: dict[str, int] = {}

    def of(self, expression: list[Any]) -> int:
        """Return the number of an expression that outlives this object."""
        known = self._by_object.get(id(expression))
        if known is None:
            inner = [
                self.of(part) if place == 1 and isinstance(part, list) else part
                for place, part in enumerate(expression)
            ]
            known = self._by_content.setdefault(repr(inner), len(self._by_content))
            self._by_object[id(expression)] = known
        return known


class ColumnSource:
    """Statements of a function of the row ``r``, and the names they need.

    Args:
        cols: checked expressions.
        names: of the features.
    """

    def __init__(self, cols: Sequence[list[Any]], names: Sequence[str]) -> None:
        refusals = Refusals(names)
        self.lines: list[str] = []
        self.globals: dict[str, Any] = {
            "I": inf,
            "nan": nan,
            "as_text": as_text,
            "cell": refusals.cell,
            "lookup": refusals.lookup,
        }
        self._emitters: dict[str, Callable[[list[Any]], str]] = {
            "in": self._in,
            "num": self._num,
            "fill": self._fill,
            "isna": self._isna,
            "clip": self._clip,
            "finite": self._finite,
            "tab": self._tab,
            "code": self._code,
            "const": self._const,
        } | dict.fromkeys(OPERATORS, self._arithmetic)
        self._memo: dict[int, str] = {}
        self._numbers = _Numbers()
        self._text: dict[str, bool] = {}
        self._n = 0
        self._unpacked = f" {','.join(f'x{place}' for place in range(len(names)))},=r" if names else ""
        self._share(cols)
        self.columns = [self._variable(expression) for expression in cols]

    def check(self, cols: Sequence[list[Any]], *, bound: float, nan_taken: bool) -> None:
        """Add what refuses a column beyond ``bound``, and a missing one where it is not taken."""
        for expression, variable in zip(cols, self.columns, strict=True):
            feature = source(expression)
            if feature < 0 or _harmless(expression, bound, nan_taken=nan_taken):
                continue
            limit = literal(bound)
            inside = f"not -{limit}<{variable}<{limit}"
            outside = f"{variable}<=-{limit} or {variable}>={limit}"
            self.lines.append(f" if {outside if nan_taken else inside}: raise cell({feature},r)")

    def function(self, name: str, body: Sequence[str]) -> Callable[[Row], Any]:
        """Return ``def name(r)`` with the columns' statements, then ``body``."""
        return define(name, "r", [self._unpacked, *self.lines, *body], self.globals)

    def _new(self) -> str:
        self._n += 1
        return f"c{self._n}"

    def _constant(self, value: Any) -> str:
        name = f"K{len(self.globals)}"
        self.globals[name] = value
        return name

    def _assign(self, expression: list[Any], code: str, *, text: bool = False) -> str:
        variable = self._new()
        self.lines.append(f" {variable}={code}")
        self._memo[self._numbers.of(expression)] = variable
        self._text[variable] = text
        return variable

    def _variable(self, expression: list[Any]) -> str:
        found = self._memo.get(self._numbers.of(expression))
        return found if found is not None else self._emitters[expression[0]](expression)

    def _in(self, expression: list[Any]) -> str:
        return self._assign(expression, f"as_text(x{expression[1]})", text=True)

    def _num(self, expression: list[Any]) -> str:
        raw = f"x{expression[1][1]}"
        return self._assign(expression, f"nan if {raw} is None else float({raw})")

    def _is_missing(self, variable: str) -> str:
        return f"{variable} is None" if self._text[variable] else f"{variable}!={variable}"

    def _fill(self, expression: list[Any]) -> str:
        inner = self._variable(expression[1])
        text = self._text[inner]
        value = self._constant(expression[2]) if text else literal(expression[2])
        return self._assign(expression, f"{value} if {self._is_missing(inner)} else {inner}", text=text)

    def _isna(self, expression: list[Any]) -> str:
        return self._assign(expression, f"1.0 if {self._is_missing(self._variable(expression[1]))} else 0.0")

    def _arithmetic(self, expression: list[Any]) -> str:
        inner = self._variable(expression[1])
        return self._assign(expression, f"{inner}{OPERATORS[expression[0]]}({literal(expression[2])})")

    def _clip(self, expression: list[Any]) -> str:
        inner, low, high = self._variable(expression[1]), literal(expression[2]), literal(expression[3])
        return self._assign(expression, f"{low} if {inner}<{low} else {high} if {inner}>{high} else {inner}")

    def _finite(self, expression: list[Any]) -> str:
        inner = self._variable(expression[1])
        self.lines.append(f" if {inner}==I or {inner}==-I: raise cell({source(expression)},r)")
        self._memo[self._numbers.of(expression)] = inner
        return inner

    def _code(self, expression: list[Any]) -> str:
        inner = self._variable(expression[1])
        table = self._constant(dict(expression[2]))
        return self._assign(expression, f"{table}.get({inner},-1)")

    def _const(self, expression: list[Any]) -> str:
        return self._assign(expression, literal(expression[1]))

    def _tab(self, expression: list[Any]) -> str:
        return self._look_up([expression])[0]

    def _share(self, cols: Sequence[list[Any]]) -> None:
        """Look up the columns of one encoder block at once."""
        blocks: dict[int, list[list[Any]]] = {}
        for expression in cols:
            if expression[0] == "tab":
                blocks.setdefault(self._numbers.of(expression[1]), []).append(expression)
        for block in blocks.values():
            n_keys = len({key for expression in block for key, _ in expression[2]})
            if len(block) > 1 and n_keys * len(block) <= MAX_SHARED_CELLS:
                self._look_up(block)

    def _look_up(self, block: Sequence[list[Any]]) -> list[str]:
        """Assign the tables of ``block``, which read the same expression, from one dictionary of tuples."""
        inner = self._variable(block[0][1])
        tables = [dict(expression[2]) for expression in block]
        unknown = _cells([expression[3] for expression in block])
        absent = _cells([expression[4] for expression in block])
        keys = dict.fromkeys(key for table in tables for key in table)
        rows = {
            key: _cells([table.get(key, expression[3]) for table, expression in zip(tables, block, strict=True)])
            for key in keys
        }
        if self._text[inner]:
            rows[None] = absent
            found = f"{self._constant(rows)}.get({inner},{self._constant(unknown)})"
        else:
            table, missing_row = self._constant(rows), self._constant(absent)
            found = f"{missing_row} if {inner}!={inner} else {table}.get({inner},{self._constant(unknown)})"
        row = self._new()
        self.lines.append(f" {row}={found}")
        if any(cells is None for cells in (unknown, *rows.values(), absent)):
            self.lines.append(f" if {row} is None: raise lookup({source(block[0])},r)")
        variables = []
        for expression in block:
            variable = self._new()
            self._memo[self._numbers.of(expression)] = variable
            self._text[variable] = False
            variables.append(variable)
        self.lines.append(f" {','.join(variables)},={row}")
        return variables


def define(name: str, arguments: str, lines: Sequence[str], names: dict[str, Any]) -> Callable[..., Any]:
    """Return the function that these lines are the body of, compiled by itself so that its syntax tree is freed."""
    text = "\n".join([f"def {name}({arguments}):", *lines])
    code = compile(text, f"<compiled scorer: {name}>", "exec")
    exec(code, names)  # noqa: S102 - the lines are ours: numbers from checked arrays, and names that we made up
    function: Callable[..., Any] = names[name]
    return function


def _cells(values: Sequence[Any]) -> tuple[float, ...] | None:
    if any(value is None for value in values):
        return None
    return tuple(nan if value == NAN else float(value) for value in values)


def _harmless(expression: list[Any], bound: float, *, nan_taken: bool) -> bool:
    """Whether a column can only hold what the model takes, so that no row needs to be asked."""
    if expression[0] in {"isna", "code"}:
        return True
    if expression[0] != "tab":
        return False
    values = [value for _, value in expression[2]] + [value for value in expression[3:] if value is not None]
    return all((value == NAN and nan_taken) or (value != NAN and abs(value) < bound) for value in values)
