"""Charts as pictures: SVG for the page, PNG for elsewhere. Nothing is fetched; fonts come with the library."""

import re
from typing import Final

import vl_convert

from vigie.reporting.markup import Markup
from vigie.reporting.parts import Figure

VEGA_LITE: Final = "6.1"
"""The language the charts are written in."""

_ELEMENT: Final = re.compile(r"<[^>]*>")
_NAMED: Final = re.compile(r'(\bid="|\burl\(#|\bhref="#)')


def draw_svg(figure: Figure) -> Markup:
    """Return the chart as an SVG element that can stand in a page beside others."""
    drawn = vl_convert.vegalite_to_svg(figure.spec, vl_version=VEGA_LITE, allowed_base_urls=[])

    def own(found: re.Match[str]) -> str:
        # clip paths are called clip0, clip1, ... in every drawing: in one page they would be mixed up
        return _NAMED.sub(lambda start: f"{start.group(1)}{figure.name}-", found.group(0))

    return Markup(_ELEMENT.sub(own, drawn))


def draw_png(figure: Figure) -> bytes:
    """Return the chart with its title on white, at twice the size of a screen pixel."""
    spec = figure.spec | {"title": figure.title, "background": "white", "padding": 12}
    drawn: bytes = vl_convert.vegalite_to_png(spec, vl_version=VEGA_LITE, scale=2, allowed_base_urls=[])
    return drawn
