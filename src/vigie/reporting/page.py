"""A report as one HTML page that needs nothing else: no script, no font, no picture from anywhere.

The page's own policy forbids everything but its one style sheet, which it names by digest. A name in the data that
looks like markup is text, and were it not, a browser would still refuse to run it.
"""

import base64
import hashlib
from typing import Final

from vigie.reporting.drawing import draw_svg
from vigie.reporting.markup import Markup, tag
from vigie.reporting.parts import Figure, Report, Section, Table, Tile
from vigie.reporting.style import STYLE

_DIGEST: Final = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

POLICY: Final = f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'; "
"require-trusted-types-for 'script'"
"""What a browser may do with the page: apply its style sheet."""


def page(report: Report) -> str:
    """Return a report as an HTML document."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", report.title),
        tag("style", Markup(STYLE)),
    )
    body = tag(
        "body",
        tag("a", "Skip to the results", href="#results", class_="skip"),
        _header(report),
        _contents(report.sections),
        tag("main", *[_section(section) for section in report.sections], id="results"),
        tag("footer", tag("p", report.footer)),
    )
    return "<!DOCTYPE html>\n" + tag("html", head, body, lang="en") + "\n"


def _header(report: Report) -> Markup:
    return tag(
        "header",
        tag("p", report.title, class_="kicker"),
        tag("h1", report.statement),
        *[tag("p", reason, class_="reason") for reason in report.reasons],
        *[tag("p", warning, class_="warning", role="note") for warning in report.warnings],
        tag("dl", *[_tile(tile) for tile in report.tiles], class_="tiles"),
    )


def _tile(tile: Tile) -> Markup:
    return tag(
        "div",
        tag("dt", tile.label),
        tag("dd", tile.value, class_="value"),
        tag("dd", tile.note, class_="note"),
        class_="tile",
    )


def _contents(sections: tuple[Section, ...]) -> Markup:
    links = [tag("li", tag("a", section.title, href=f"#{section.anchor}")) for section in sections]
    return tag("nav", tag("ul", *links), aria_label="Contents")


def _section(section: Section) -> Markup:
    heading = f"{section.anchor}-title"
    figures = (
        [tag("div", *[_figure(figure) for figure in section.figures], class_="figures")] if section.figures else []
    )
    return tag(
        "section",
        tag("h2", section.title, id=heading),
        *[tag("p", text) for text in section.text],
        *figures,
        *[_table(table) for table in section.tables],
        *[tag("p", note, class_="note") for note in section.notes],
        id=section.anchor,
        aria_labelledby=heading,
    )


def _figure(figure: Figure) -> Markup:
    return tag(
        "figure",
        tag("h3", figure.title),
        tag("div", draw_svg(figure), role="img", aria_label=figure.alt),
        tag("figcaption", figure.caption),
    )


def _table(table: Table) -> Markup:
    head = tag("thead", tag("tr", *[_cell(table, column, at, "col") for at, column in enumerate(table.columns)]))
    body = tag(
        "tbody",
        *[
            tag("tr", *[_cell(table, cell, at, "" if at else "row") for at, cell in enumerate(row)])
            for row in table.rows
        ],
    )
    # a wide table scrolls in its own box, which the keyboard must reach; its caption stays in view
    box = tag("div", tag("table", head, body, aria_label=table.caption), class_="scroll", tabindex="0", role="region",
              aria_label=table.caption)  # fmt: skip
    if table.folded:
        return tag("details", tag("summary", table.caption), tag("div", box, class_="table"))
    return tag("div", tag("p", table.caption, class_="caption"), box, class_="table")


def _cell(table: Table, text: str, at: int, scope: str) -> Markup:
    flush = {"class_": "w"} if at < table.n_text else {}
    return tag("th", text, scope=scope, **flush) if scope else tag("td", text, **flush)
