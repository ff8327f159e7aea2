"""What the page of a window is made from."""

from dataclasses import dataclass
from datetime import datetime

from vigie.monitoring.counts import WindowCounts
from vigie.monitoring.profile import ReferenceProfile
from vigie.monitoring.thresholds import AlarmRule
from vigie.monitoring.window_report import Report


@dataclass(frozen=True, slots=True, eq=False)
class PageInputs:
    """One window, judged, with what is drawn of it.

    Attributes:
        report: what was found; every verdict on the page is one of its.
        profile: the reference.
        counts: the window on the reference's grid.
        rule: when inputs raise an alarm.
        margin: loss of performance that does not matter, see ``PerformanceRule.margin``.
        min_labelled: outcomes needed before performance is judged.
        made_at: aware UTC.
        target: name of what is predicted.
        limits: what a prediction cannot be below or above; None where there is nothing of the kind.
    """

    report: Report
    profile: ReferenceProfile
    counts: WindowCounts
    rule: AlarmRule
    margin: float
    min_labelled: int
    made_at: datetime
    target: str = ""
    limits: tuple[float, float] | None = None
