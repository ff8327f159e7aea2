"""Charts as pictures: SVG for the page, PNG for elsewhere. Nothing is fetched; fonts come with the library."""

import re
from collections.abc import Mapping
from typing import Any, Final

import vl_convert

from vigie.reporting.markup import Markup
from vigie.reporting.parts import Figure

VEGA_LITE: Final = "6.1"
"""The language the charts are written in."""

# As text writes them, in the words of d3-format.
_NUMBERS: Final = {"decimal": ".", "thousands": ",", "grouping": [3], "currency": ["", ""], "percent": " %"}
_ELEMENT: Final = re.compile(r"<[^>]*>")
_NAMED: Final = re.compile(r'(\bid="|\burl\(#|\bhref="#)')
_UNDRAWABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd]")


def draw_svg(figure: Figure) -> Markup:
    """Return the chart as an SVG element that can stand in a page beside others."""
    drawn = vl_convert.vegalite_to_svg(
        _drawable(figure.spec), vl_version=VEGA_LITE, format_locale=_NUMBERS, allowed_base_urls=[]
    )

    def own(found: re.Match[str]) -> str:
        # clip paths are called clip0, clip1, ... in every drawing: in one page they would be mixed up
        return _NAMED.sub(lambda start: f"{start.group(1)}{figure.name}-", found.group(0))

    return Markup(_ELEMENT.sub(own, drawn))


def draw_png(figure: Figure) -> bytes:
    """Return the chart with its title on white, at twice the size of a screen pixel."""
    spec = _drawable(figure.spec) | {"title": _drawable(figure.title), "background": "white", "padding": 12}
    drawn: bytes = vl_convert.vegalite_to_png(
        spec, vl_version=VEGA_LITE, scale=2, format_locale=_NUMBERS, allowed_base_urls=[]
    )
    return drawn


def _drawable(part: Any) -> Any:
    """Return a part of a chart without the characters that the renderer cannot draw.

    At one that XML cannot hold it does not raise: it ends the process. Levels come from requests, so anybody who may
    ask for a prediction could end a retraining that way. Beyond U+FFFF (emoji) it cuts long labels within a character.

    Source:
        XML 1.0, production 2 (Char).
    """
    if isinstance(part, str):
        return _UNDRAWABLE.sub("\N{REPLACEMENT CHARACTER}", part)
    if isinstance(part, Mapping):
        return {_drawable(name): _drawable(value) for name, value in part.items()}
    if isinstance(part, list | tuple):
        return [_drawable(value) for value in part]
    return part
