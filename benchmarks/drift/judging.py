"""How the benchmark asks Vigie: the profile of a table, and the report that the loop makes of counts."""

import numpy as np
import pyarrow as pa

from benchmarks.drift.tables import CATEGORIES, NUMBERS
from vigie.domain.frame import model_frame
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.domain.window import Window
from vigie.monitoring.assess import Reference, WindowRows, assess
from vigie.monitoring.counts import WindowCounts
from vigie.monitoring.performance import PerformanceRule
from vigie.monitoring.profile import ReferenceProfile, build_profile
from vigie.monitoring.thresholds import AlarmRule
from vigie.monitoring.window_report import Report

SCHEMA = Schema(
    (*(Feature(name, Kind.NUMBER) for name in NUMBERS), *(Feature(name, Kind.CATEGORY) for name in CATEGORIES)),
    Target("y", Task.REGRESSION),
)
RULE = AlarmRule(false_alarm_budget=0.05, psi_margin=0.02, distance_margin=0.05, min_rows=200)
_PERFORMANCE = PerformanceRule(metrics=("rmse",), margin=0.02, min_labelled=200, false_alarm_budget=0.05)


def profile_of(table: pa.Table) -> ReferenceProfile:
    """Return the reference profile of a table, of a model that always answers 0."""
    columns = {name: table[name].to_numpy() for name in NUMBERS} | {k: table[k].to_pylist() for k in CATEGORIES}
    return build_profile(SCHEMA, model_frame(SCHEMA, columns), np.zeros(len(table)))


def judged(profile: ReferenceProfile, counts: WindowCounts, window: Window) -> Report:
    """Return the report of a window of which no outcome is known."""
    nothing = np.empty(0)
    rows = WindowRows(window, counts, None, nothing, None, n_known=0)
    return assess(rows, Reference("drift", "1", Task.REGRESSION, profile, {}), RULE, _PERFORMANCE, look=1)
