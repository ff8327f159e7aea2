"""A table in a terminal, laid out when the width is known: names are folded, numbers never are."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table

Columns = Sequence[tuple[str, Literal["left", "right"]]]

_GAP = 2  # blanks between two columns
_NAMES = 20  # what a column of names keeps before numbers are set more narrowly
_LEAST_NAMES = 6  # what it keeps before numbers are broken


@dataclass(frozen=True, slots=True)
class Sheet:
    """A title, ``(heading, justification)`` for each column, and rows; numbers are the columns on the right."""

    title: str
    columns: Columns
    rows: Sequence[Sequence[str]]

    def __rich_console__(self, screen: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the title and the widest layout that fits."""
        yield f"[bold]{self.title}[/]"
        headings = replace(self, columns=[(_stacked(heading), justify) for heading, justify in self.columns])
        both = replace(headings, rows=[[_stacked(text) for text in row] for row in self.rows])
        for sheet in (self, headings, both):
            widths = sheet.widths(screen)
            if sheet.least(widths, names=_NAMES) <= options.max_width:
                break
        whole = sheet.least(widths, names=_LEAST_NAMES) <= options.max_width  # else even a number must be broken
        made = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
        for (heading, justify), width in zip(sheet.columns, widths, strict=True):
            kept = width if whole and justify == "right" else None
            made.add_column(heading, justify=justify, overflow="fold", width=kept)
        for row in sheet.rows:
            made.add_row(*row)
        yield made

    def widths(self, screen: Console) -> list[int]:
        """Return how wide each column is if none of its cells is broken."""
        cells = zip((heading for heading, _ in self.columns), *self.rows, strict=True)
        told = (screen.render_str("\n".join(column)).plain.splitlines() for column in cells)
        return [max(map(cell_len, lines), default=0) for lines in told]

    def least(self, widths: Sequence[int], *, names: int) -> int:
        """Return the width of it all, once names are folded to so many."""
        kinds = zip(self.columns, widths, strict=True)
        kept = [min(width, names) if justify == "left" else width for (_, justify), width in kinds]
        return sum(kept) + _GAP * (len(kept) - 1)


def _stacked(text: str) -> str:
    """Return a value with its interval in a line below, or a heading with what it says of itself."""
    return re.sub(r" \[(?=[-0-9])", "\n[", text).replace(", n =", ",\nn =")
