"""whylogs: a profile of the window by sketches, then its drift scores against the profile of the reference."""

from typing import Any

import pandas as pd
import whylogs
from whylogs.viz.drift.column_drift_algorithms import calculate_drift_scores

from benchmarks.drift.engines.engine import run


def prepare(reference: pd.DataFrame) -> Any:
    """Profile the reference."""
    return whylogs.log(reference).view()


def check(reference: Any, window: pd.DataFrame) -> int:
    """Profile the window and score it; return how many columns it calls drifted."""
    scores = calculate_drift_scores(
        target_view=whylogs.log(window).view(), reference_view=reference, with_thresholds=True
    )
    return sum(bool(score) and score["drift_category"] == "DRIFT" for score in scores.values())


if __name__ == "__main__":
    run(prepare, check)
