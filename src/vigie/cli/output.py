"""How numbers, tables and progress look in a terminal, at eighty columns."""

import json
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO, cast

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from vigie.cli.sheet import Columns, Sheet
from vigie.domain.measurement import LONGEST, Measurement, Verdict, digits
from vigie.reporting.wording import sample, unit_name

WIDTH = 80
COLOURS = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.ALARM: "bold red", Verdict.UNKNOWN: "dim"}


_TIE = "\ue000"  # a character that nobody uses: rich breaks lines at every kind of blank that there is


class _Screen(Console):
    """A console that leaves a number and its percent sign on one line."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Return styled text."""
        made = super().render_str(text, **options)
        made.plain = made.plain.replace(" %", f"{_TIE}%")
        return made


class Stream:
    """Where a console writes to; no line ends with blanks: rich fills up cells, and breaks a line after a blank.

    Args:
        under: what it is all written to.
    """

    def __init__(self, under: TextIO) -> None:
        self._under = under

    def __getattr__(self, name: str) -> Any:
        return getattr(self._under, name)

    def write(self, text: str) -> int:
        """Write text whose lines are whole."""
        return self._under.write(re.sub(" +\n", "\n", text.replace(_TIE, " ")))


def console(*, error: bool = False) -> Console:
    """Return a console no wider than eighty columns; plain text when it is not a terminal."""
    stream = Stream(sys.stderr if error else sys.stdout)
    made = _Screen(file=cast("TextIO", stream), highlight=False, soft_wrap=False, emoji=False)
    made.width = min(WIDTH, made.width) if made.is_terminal else WIDTH
    return made


def plain(text: str) -> str:
    """Return text from outside (names, reasons) so that its brackets are printed, not taken for styles.

    Control characters become spaces: a name cannot move the cursor or forge a line.
    """
    return escape("".join(char if char.isprintable() else " " for char in text))


def print_json(value: Any) -> None:
    """Print a JSON value; NaN has no place in it."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def number(value: float | None, unit: str = "1") -> str:
    """Return four decimals for scores and losses, four significant digits, or all before the point, else."""
    if value is None or value != value:  # noqa: PLR0124  NaN
        return "-"
    if unit in ("1", "nats") and abs(value) < LONGEST:
        return f"{value:.4f}"
    return digits(value)


def counted(n: int, noun: str) -> str:
    """Return a number with its noun, e.g. ``1 row`` or ``2,000 rows``."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def measured(item: Measurement) -> str:
    """Return a number with its interval, e.g. ``0.8123 [0.7801, 0.8445]``."""
    text = number(item.value, item.unit)
    if item.interval is None or item.value is None:
        return text
    return f"{text} [{number(item.interval.low, item.unit)}, {number(item.interval.high, item.unit)}]"


def promised(items: Sequence[Measurement | None]) -> str:
    """Return the heading of what was measured at training, with its sample size."""
    return ", ".join(filter(None, ["held out at training", sample(items)])) + " [95 %]"


def print_units(items: Iterable[Measurement | None], screen: Console) -> None:
    """Print the units of a table of metrics, which its columns have no room for."""
    named: dict[str, list[str]] = {}
    for item in items:
        if item is not None and (unit := unit_name(item.unit)):
            named[unit] = list(dict.fromkeys([*named.get(unit, []), item.name]))
    told = "; ".join(f"{', '.join(names)} in {unit}" for unit, names in named.items())
    if told:
        screen.print(f"[dim]{plain(told)}[/]")


def print_gaps(items: Iterable[Measurement | None], screen: Console) -> None:
    """Print why a number, or an interval, is not there, where rows were looked at."""
    gaps = [item for item in items if item is not None and item.n and (item.value is None or item.interval is None)]
    told = (item.reason if item.name in item.reason else f"{item.name}: {item.reason}" for item in gaps if item.reason)
    for line in dict.fromkeys(told):
        screen.print(f"[dim]{plain(line)}[/]")


def verdict_text(verdict: Verdict) -> str:
    """Return a verdict in its colour."""
    return f"[{COLOURS[verdict]}]{verdict.value}[/]"


def table(title: str, columns: Columns, rows: Sequence[Sequence[str]]) -> Sheet:
    """Return a plain table under its title; ``columns`` are ``(heading, justification)``, numbers those on the right.

    No number is broken where the screen has room for it. What does not fit is set in two lines by design: first the
    headings, then every interval under its value; only names are folded.
    """
    return Sheet(title, columns, rows)


class _Lines:
    """Says a line on standard error whenever a candidate is done, for a log file: it wants no bar."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._last = ("", 0, 0)

    def __call__(self, name: str, done: int, total: int) -> None:
        """Take note of a fit."""
        if name != self._last[0]:
            self.end()
        self._last = (name, done, total)

    def end(self) -> None:
        """Say that the last candidate is done, if there was one."""
        name, done, total = self._last
        if name:
            said = f"{plain(name)} is done: {done} of {total} fits after {time.monotonic() - self._began:.0f} s"
            console(error=True).print(said, soft_wrap=True)


@contextmanager
def fit_progress(*, quiet: bool, doing: str = "Fitting") -> Iterator[Any]:
    """Yield a callback ``(name, done, total)`` that draws a bar on standard error while something takes its time.

    Where that is no terminal, fits are told by a line a candidate; what else there is takes seconds, and is not told.
    """
    screen = console(error=True)
    if quiet or not (screen.is_terminal or doing == "Fitting"):
        yield lambda _name, _done, _total: None
        return
    if not screen.is_terminal:
        lines = _Lines()
        yield lines
        lines.end()
        return
    columns = (
        TextColumn(doing + " {task.fields[name]:<24}"),
        BarColumn(24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=screen, transient=True) as bar:
        task = bar.add_task("fit", name="", total=None)
        yield lambda name, done, total: bar.update(task, name=name, completed=done, total=total)


@contextmanager
def row_progress(total: int, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Yield a callback ``(done)`` that draws a bar of rows on standard error, for tables that take a while."""
    screen = console(error=True)
    if quiet or not screen.is_terminal:
        yield lambda _done: None
        return
    columns = (TextColumn("Scoring"), BarColumn(24), TextColumn("{task.completed:,}/{task.total:,} rows"))
    with Progress(*columns, TimeElapsedColumn(), console=screen, transient=True) as bar:
        task = bar.add_task("score", total=total)
        yield lambda done: bar.update(task, completed=done)
