"""One look for all charts: a small palette, quiet axes, and the same colours in light, dark and print.

Charts are drawn in the light colours. The page's style sheet finds each of them in the drawing by its value and gives
it the colour of the reader's scheme, so one drawing serves both.
"""

from typing import Any, Final

INK: Final = "#1f2933"
MUTED: Final = "#5f6c7b"
GRID: Final = "#e3e7ec"
FIRST: Final = "#2563a8"
SECOND: Final = "#c2571a"
THIRD: Final = "#23807a"
QUIET: Final = "#98a3b0"

PALETTE: Final = {"ink": INK, "muted": MUTED, "grid": GRID, "first": FIRST, "second": SECOND, "third": THIRD,
                  "quiet": QUIET}  # fmt: skip
"""Colours by role; blue and orange are told apart by nearly everyone."""

DARK: Final = {
    "ink": "#e5eaf0",
    "muted": "#9dabba",
    "grid": "#2b343f",
    "first": "#7cb4ee",
    "second": "#f0a067",
    "third": "#6cc7bf",
    "quiet": "#6d7a89",
}
"""The same roles on a dark ground."""

WIDTH: Final = 400
"""Of every chart in pixels, labels included: about a phone's, so that text keeps its size there."""

_FONT: Final = "Liberation Sans, Arial, Helvetica, sans-serif"
"""Three names for the same widths: labels keep the room that was measured for them, wherever the page is opened."""

CONFIG: Final[dict[str, Any]] = {
    "background": None,
    "font": _FONT,
    "aria": False,  # the figure carries one text; a thousand unnamed points would drown it
    "padding": {"left": 14, "right": 6, "top": 4, "bottom": 4},  # the reader's font may be wider than ours
    "view": {"stroke": None},
    "axis": {
        "domain": False,
        "ticks": False,
        "gridColor": GRID,
        "gridWidth": 1,
        "labelColor": MUTED,
        "labelFontSize": 11,
        "labelPadding": 6,
        "labelLimit": 170,
        "titleColor": MUTED,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
        "titlePadding": 8,
        "tickCount": 5,
    },
    "axisY": {"titleAngle": 0, "titleAlign": "left", "titleAnchor": "end", "titleBaseline": "bottom", "titleY": -8,
              "titleX": 0},
    "axisX": {"labelFlush": False},
    "axisBand": {"grid": False},
    "text": {"fontSize": 11, "color": INK},
    "title": {"anchor": "start", "color": INK, "fontSize": 14, "fontWeight": 600, "offset": 14, "frame": "bounds"},
}  # fmt: skip
"""Vega-Lite's configuration."""
