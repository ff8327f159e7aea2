"""A finished training told as a report: every part worked out once, in reading order."""

import re
from collections.abc import Callable

from vigie.reporting.drawing import draw_png
from vigie.reporting.page import page
from vigie.reporting.parts import Report, Section
from vigie.training.report.classes import classes
from vigie.training.report.comparison import comparison
from vigie.training.report.curves import bias_and_variance
from vigie.training.report.decisions import decisions
from vigie.training.report.headline import reasons, statement, tiles, warnings
from vigie.training.report.influence import influence
from vigie.training.report.inputs import Progress, ReportInputs
from vigie.training.report.paths import regularisation
from vigie.training.report.provenance import again, data
from vigie.training.report.residuals import residuals
from vigie.training.report.weak_spots import weak_spots

_PARTS: tuple[tuple[str, Callable[[ReportInputs], Section | None]], ...] = (
    ("candidates", comparison),
    ("errors", lambda inputs: classes(inputs) if inputs.task.is_classification else residuals(inputs)),
    ("decisions", lambda inputs: None if inputs.value is None else decisions(inputs, inputs.value)),
    ("influence", influence),
    ("segments", weak_spots),
    ("regularisation paths", regularisation),
    ("learning curves", bias_and_variance),
    ("data", data),
    ("reproduction", again),
)


def build(inputs: ReportInputs, progress: Progress) -> Report:
    """Work out every part of a report.

    Args:
        inputs: a finished training.
        progress: told before each part and after the last.
    """
    sections = []
    for done, (what, part) in enumerate(_PARTS):
        progress(what, done, len(_PARTS))
        found = part(inputs)
        if found is not None:
            sections.append(found)
    progress("report", len(_PARTS), len(_PARTS))
    return Report(
        title=f"Training report of {inputs.model}",
        statement=statement(inputs),
        reasons=reasons(inputs),
        warnings=warnings(inputs),
        tiles=tiles(inputs),
        sections=tuple(sections),
        footer=f"Made by Vigie from a training of {inputs.provenance.created_at:%Y-%m-%d %H:%M} UTC. This page "
        "asks for "
        "nothing from anywhere: no script, no picture, no font.",
    )


def render(inputs: ReportInputs, progress: Progress = lambda _what, _done, _total: None) -> str:
    """Return a report as one HTML page that needs nothing else."""
    return page(build(inputs, progress))


def figures(inputs: ReportInputs, progress: Progress = lambda _what, _done, _total: None) -> dict[str, bytes]:
    """Return a report's charts as PNG pictures by name."""
    return pictures(build(inputs, progress))


def pictures(report: Report) -> dict[str, bytes]:
    """Return the charts of a report that is built already as PNG pictures by name."""
    return {re.sub(r"\W+", "_", figure.name).strip("_"): draw_png(figure) for figure in report.figures}
