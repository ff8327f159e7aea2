"""A judged window as a report, part by part, in the order of evidence."""

from collections.abc import Callable

from vigie.monitoring.report.beside import estimate, segments
from vigie.monitoring.report.columns import inputs_section, prediction_section
from vigie.monitoring.report.headline import reasons, statement, tiles, warnings
from vigie.monitoring.report.inputs import PageInputs
from vigie.monitoring.report.others import others
from vigie.monitoring.report.performance import performance
from vigie.monitoring.report.rule import rule
from vigie.monitoring.report.service import service
from vigie.reporting.parts import Report, Section

_PARTS: tuple[Callable[[PageInputs], Section | None], ...] = (
    performance,
    segments,
    estimate,
    prediction_section,
    inputs_section,
    service,
    others,
    rule,
)


def build(inputs: PageInputs) -> Report:
    """Return the page of one window."""
    report = inputs.report
    sections = [part(inputs) for part in _PARTS]
    return Report(
        title=f"Monitoring of {report.model} version {report.version}",
        statement=statement(inputs),
        reasons=reasons(inputs),
        warnings=warnings(inputs),
        tiles=tiles(inputs),
        sections=tuple(section for section in sections if section is not None),
        footer=f"Made by Vigie at {inputs.made_at:%Y-%m-%d %H:%M:%S} UTC. This page asks for nothing from anywhere: no "
        "script, no picture, no font.",
    )
