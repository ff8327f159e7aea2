"""The training report: who won and why, as one HTML page and as pictures.

``build`` works everything out once; ``page`` and ``pictures`` draw what it found. ``render`` and ``figures`` do both
steps in one call.
"""

from vigie.training.report.build import build, figures, pictures, render
from vigie.training.report.inputs import USUAL_EFFORT, Effort, Provenance, ReportInputs
from vigie.training.report.page import page
from vigie.training.report.parts import Report

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
