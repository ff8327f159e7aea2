"""Run by the Python of an environment that holds Evidently: two Parquet files in, Evidently's own report out.

Imports nothing of Vigie, which need not be there. Arguments: reference, current, output, and a JSON object with the
names of the numeric and of the categorical columns.
"""

import json
import sys

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset, DataSummaryPreset


def main(reference: str, current: str, output: str, columns: str) -> None:
    """Write the report."""
    told = json.loads(columns)
    definition = DataDefinition(numerical_columns=told["numeric"], categorical_columns=told["category"])
    sides = [Dataset.from_pandas(pd.read_parquet(path), data_definition=definition) for path in (current, reference)]
    Report([DataDriftPreset(), DataSummaryPreset()]).run(*sides).save_html(output)


if __name__ == "__main__":
    main(*sys.argv[1:])
