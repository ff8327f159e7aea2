"""What a report consists of, before anybody decides how it looks: sections of sentences, figures and tables."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One chart.

    Attributes:
        name: file name of the PNG, without its ending; letters, digits and underscores.
        title: what it shows, as a heading.
        alt: what a reader who cannot see it needs to know.
        caption: which rows, how many, which interval.
        spec: the chart in Vega-Lite, data included.
    """

    name: str
    title: str
    alt: str
    caption: str
    spec: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers in rows.

    Attributes:
        caption: which rows, how many, which interval.
        columns: headings.
        rows: cells as text, each as long as ``columns``.
        n_text: leading columns that are words; the others are set flush right.
        folded: whether it waits behind its caption until asked for.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    n_text: int = 1
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Tile:
    """One number that a reader takes away, and what it rests on."""

    label: str
    value: str
    note: str


@dataclass(frozen=True, slots=True)
class Section:
    """One question and its answer.

    Attributes:
        anchor: address within the page.
        title: the question.
        text: paragraphs.
        figures: charts, side by side where there is room.
        tables: numbers behind the charts.
        notes: what limits the answer.
    """

    anchor: str
    title: str
    text: tuple[str, ...]
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report.

    Attributes:
        title: of the page.
        statement: who won, in one sentence.
        reasons: why, in a few.
        warnings: what a reader must not miss.
        tiles: the numbers to take away.
        sections: in reading order.
        footer: where it comes from, one sentence.
    """

    title: str
    statement: str
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    tiles: tuple[Tile, ...]
    sections: tuple[Section, ...]
    footer: str

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All charts in reading order."""
        return tuple(figure for section in self.sections for figure in section.figures)
