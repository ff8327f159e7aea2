"""A judged window told as one page: what was found, why, and on how much data.

``build`` words and draws what the report holds; nothing is judged here.
"""

from vigie.monitoring.report.build import build
from vigie.monitoring.report.inputs import PageInputs

__all__ = ["PageInputs", "build"]
