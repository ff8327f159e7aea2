"""What the compiler's parts hand to each other: columns on their way to the model, and the reason to stop."""

from dataclasses import dataclass, replace
from typing import Any

Expression = list[Any]
"""A nested list of the layout, see ``inference.compiled.expressions``."""

NAN = "nan"
"""How a table says NaN, which JSON cannot."""


@dataclass(frozen=True, slots=True)
class NotCompiled:
    """Why a pipeline has no compiled form; the part of a sentence that stands behind a colon."""

    reason: str


class UnsupportedError(Exception):
    """The compiler met something that it does not know. It never leaves the compiler: see ``NotCompiled``."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Column:
    """One column at some place in the pipeline.

    Attributes:
        expression: what it is of the inputs.
        text: whether it holds categories as text.
        loose: whether a scaler may have made an infinity of a large number.
    """

    expression: Expression
    text: bool = False
    loose: bool = False

    def checked(self) -> "Column":
        """Return the column as a step takes it that refuses infinities."""
        return replace(self, expression=["finite", self.expression], loose=False) if self.loose else self


@dataclass(frozen=True, slots=True)
class Block:
    """All columns at some place; ``sparse`` when scikit-learn holds them as a sparse matrix there."""

    columns: tuple[Column, ...]
    sparse: bool = False


def plain(value: Any) -> float | str:
    """Return a table's number as JSON can say it."""
    number = float(value)
    return NAN if number != number else number  # noqa: PLR0124 - NaN is unlike itself
