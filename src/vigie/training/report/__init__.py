"""The training report: who won and why, as one HTML page and as pictures.

``build`` works everything out once; ``page`` and ``pictures`` draw what it found. ``render`` and ``figures`` do both
steps in one call.
"""

from vigie.reporting.page import page
from vigie.reporting.parts import Report
from vigie.training.report.build import build, figures, pictures, render
from vigie.training.report.inputs import USUAL_EFFORT, Effort, Provenance, ReportInputs

__all__ = [
    "USUAL_EFFORT",
    "Effort",
    "Provenance",
    "Report",
    "ReportInputs",
    "build",
    "figures",
    "page",
    "pictures",
    "render",
]
