"""A small vocabulary for charts in Vega-Lite: rows of data, layers of marks on them, two scales.

Data always stands in fields of our own naming; names of features and classes are values, so none of them is ever read
as an expression.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vigie.reporting.theme import CONFIG, FIRST, INK, WIDTH

Layer = dict[str, Any]
Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Scale:
    """One axis.

    Attributes:
        title: what it measures, with its unit; empty for names.
        kind: ``quantitative`` or ``nominal``.
        domain: its ends; None to fit the data.
        log: whether equal steps multiply.
        zero: whether it must reach zero.
        format: of its labels, in d3's language.
        grid: whether lines stand behind the marks.
        least: pixels kept for its labels, so that charts above each other line up.
        values: where labels stand; None to choose.
        order: of names; None for the order in which the rows bring them.
        limit: pixels that a name may take; 0 for the theme's.
    """

    title: str
    kind: str = "quantitative"
    domain: tuple[float, float] | None = None
    log: bool = False
    zero: bool = False
    format: str | None = None
    grid: bool = True
    least: int = 0
    values: tuple[float, ...] | None = None
    order: tuple[str, ...] | None = None
    limit: int = 0

    def encoding(self) -> dict[str, Any]:
        """Return the channel's definition, its field excepted."""
        axis: dict[str, Any] = {"title": self.title or None, "minExtent": self.least}
        if self.kind == "nominal":
            order = None if self.order is None else list(self.order)
            limit = {"labelLimit": self.limit} if self.limit else {}
            return {"type": "nominal", "sort": order, "axis": axis | {"grid": False, "labelAngle": 0} | limit}
        axis["grid"] = self.grid
        if self.format:
            axis["format"] = self.format
        if self.values is not None:
            axis["values"] = list(self.values)
        scale: dict[str, Any] = {"zero": self.zero, "nice": self.domain is None and not self.log}
        if self.log:
            scale = {"type": "log", "nice": False}
        if self.domain is not None:
            scale["domain"] = list(self.domain)
        return {"type": "quantitative", "scale": scale, "axis": axis}


def rows(**columns: Iterable[Any]) -> Rows:
    """Return columns of equal length as rows of plain JSON values, numbers to six digits, NaN and infinity as null."""
    names = list(columns)
    return [
        {name: _plain(value) for name, value in zip(names, values, strict=True)}
        for values in zip(*columns.values(), strict=True)
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, float | np.floating):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value


def line(data: Rows, colour: str = FIRST, *, width: float = 2, dash: Sequence[int] = (), step: bool = False) -> Layer:
    """Draw a line through x and y, in the order of the rows."""
    mark: dict[str, Any] = {"type": "line", "color": colour, "strokeWidth": width, "strokeJoin": "round"}
    if dash:
        mark["strokeDash"] = list(dash)
    if step:
        mark["interpolate"] = "step-after"
    # without an order Vega-Lite sorts by x, and steps of a ROC curve share it
    layer = _layer([row | {"at": at} for at, row in enumerate(data)], mark)
    layer["encoding"]["order"] = {"field": "at", "type": "quantitative"}
    return layer


def many_lines(data: Rows, *, width: float = 1.5) -> Layer:
    """Draw one line for each ``name``, in the colour that its rows give."""
    layer = _layer(data, {"type": "line", "strokeWidth": width})
    layer["encoding"]["detail"] = {"field": "name", "type": "nominal"}
    layer["encoding"]["color"] = {"field": "colour", "type": "nominal", "scale": None}
    return layer


def band(data: Rows, colour: str = FIRST, *, opacity: float = 0.14) -> Layer:
    """Fill between low and high over x."""
    layer = _layer(data, {"type": "area", "color": colour, "opacity": opacity, "line": False}, y="low")
    layer["encoding"]["y2"] = {"field": "high"}
    return layer


def dots(data: Rows, colour: str = FIRST, *, size: float = 45, opacity: float = 1, hollow: bool = False) -> Layer:
    """Draw a point at each x and y."""
    mark: dict[str, Any] = {"type": "point", "filled": not hollow, "color": colour, "size": size, "opacity": opacity}
    if hollow:
        mark |= {"fill": None, "strokeWidth": 1.8}
    return _layer(data, mark)


def spans(data: Rows, colour: str = FIRST, *, upright: bool = False, width: float = 1.8) -> Layer:
    """Draw a segment from low to high, at y (or at x when upright)."""
    layer = _layer(data, {"type": "rule", "color": colour, "strokeWidth": width})
    first, second = ("y", "y2") if upright else ("x", "x2")
    layer["encoding"][first] = {"field": "low"}
    layer["encoding"][second] = {"field": "high"}
    return layer


def bars(data: Rows, colour: str = FIRST, *, opacity: float = 0.85) -> Layer:
    """Draw upright bars from x to x2, of height y."""
    layer = _layer(data, {"type": "rect", "color": colour, "opacity": opacity})
    layer["encoding"]["x2"] = {"field": "x2"}
    layer["encoding"]["y2"] = {"datum": 0}
    return layer


def tiles(data: Rows, colour: str = FIRST) -> Layer:
    """Fill a cell for each pair of names, the more the stronger its ``weight`` in [0, 1]."""
    layer = _layer(data, {"type": "rect", "color": colour, "cornerRadius": 3})
    layer["encoding"]["opacity"] = {"field": "weight", "type": "quantitative", "scale": None}
    return layer


def rule(*, x: float | None = None, y: float | None = None, colour: str = INK, dash: Sequence[int] = (4, 3)) -> Layer:
    """Draw a line across the chart at one x or one y."""
    mark: dict[str, Any] = {"type": "rule", "color": colour, "strokeWidth": 1.2, "strokeDash": list(dash)}
    place: dict[str, Any] = {"x": {"datum": x}} if x is not None else {"y": {"datum": y}}
    return {"data": {"values": [{}]}, "mark": mark, "encoding": place}


def words(data: Rows, colour: str = INK, *, align: str = "left", dx: float = 5, dy: float = 0) -> Layer:
    """Write each row's ``text`` at its x and y."""
    mark = {"type": "text", "align": align, "dx": dx, "dy": dy, "color": colour, "baseline": "middle"}
    layer = _layer(data, mark)
    layer["encoding"]["text"] = {"field": "text", "type": "nominal"}
    return layer


def shifted(layer: Layer) -> Layer:
    """Return a layer whose marks stand beside each other within a name, by their ``kind``."""
    offset = {"field": "kind", "type": "nominal", "sort": None}
    return layer | {"encoding": layer["encoding"] | {"yOffset": offset}}


def chart(layers: Sequence[Layer], x: Scale, y: Scale, *, height: float = 230) -> dict[str, Any]:
    """Return a whole chart of layers that share both scales."""
    scales = {"x": x.encoding(), "y": y.encoding()}
    drawn = []
    for layer in layers:
        encoding = {
            channel: definition | scales[channel] if channel in scales else definition
            for channel, definition in layer["encoding"].items()
        }
        drawn.append(layer | {"encoding": encoding})
    return {
        "width": WIDTH,
        "height": height,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "layer": drawn,
        "config": CONFIG,
    }


def _layer(data: Rows, mark: dict[str, Any], *, y: str = "y") -> Layer:
    return {"data": {"values": data}, "mark": mark, "encoding": {"x": {"field": "x"}, "y": {"field": y}}}
