"""Evidently: its data drift preset with its defaults, without the page in HTML."""

import json
from typing import Any

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset

from benchmarks.drift.engines.engine import run
from benchmarks.drift.tables import CATEGORIES, NUMBERS

DEFINITION = DataDefinition(numerical_columns=list(NUMBERS), categorical_columns=list(CATEGORIES))


def prepare(reference: pd.DataFrame) -> Any:
    """Wrap the reference: Evidently reads it anew at every check."""
    return Dataset.from_pandas(reference, data_definition=DEFINITION)


def check(reference: Any, window: pd.DataFrame) -> int:
    """Run the preset; return how many columns it calls drifted."""
    current = Dataset.from_pandas(window, data_definition=DEFINITION)
    found = json.loads(Report([DataDriftPreset()]).run(current, reference).json())
    (counts,) = [item["value"] for item in found["metrics"] if "DriftedColumnsCount" in item["metric_name"]]
    return int(counts["count"])


if __name__ == "__main__":
    run(prepare, check)
