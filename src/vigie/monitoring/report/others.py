"""Parts of a report that no section of its own tells: every number of them, by its name."""

from collections.abc import Iterator
from typing import Any, Final

from vigie.monitoring.report.inputs import PageInputs
from vigie.reporting.parts import Section, Table
from vigie.reporting.wording import NOTHING, number

TOLD: Final = frozenset({
    "model", "version", "window", "n", "look", "verdict", "headline", "drifted", "noticed", "features", "prediction",
    "performance", "technical", "service", "confirmed", "estimate", "segments", "baseline",
})  # fmt: skip
"""What the other sections tell."""

_LONGEST: Final = 200


def others(inputs: PageInputs) -> Section | None:
    """Return what is left of the report; None when nothing is."""
    left = {name: part for name, part in inputs.report.to_dict().items() if name not in TOLD and part}
    if not left:
        return None
    tables = []
    for name, part in left.items():
        lines = tuple(_lines(part))
        caption = name.replace("_", " ") + ("" if len(lines) <= _LONGEST else f", the first {_LONGEST} of {len(lines)}")
        tables.append(Table(caption=caption, columns=("what", "value"), rows=lines[:_LONGEST], n_text=2, folded=True))
    return Section(
        anchor="more", title="What else was measured?", text=("As the report writes it.",), tables=tuple(tables)
    )


def _lines(part: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    if isinstance(part, dict) and part:
        for name, inner in part.items():
            yield from _lines(inner, (*path, str(name)))
    elif isinstance(part, list) and part:
        for place, inner in enumerate(part, start=1):
            yield from _lines(inner, (*path, str(place)))
    else:
        yield " / ".join(path) or NOTHING, _text(part)


def _text(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return NOTHING
    return number(value) if isinstance(value, float) else str(value)
