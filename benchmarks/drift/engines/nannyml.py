"""NannyML: its univariate drift calculator with its default methods, the window as one chunk."""

from typing import Any

import nannyml
import pandas as pd

from benchmarks.drift.engines.engine import run
from benchmarks.drift.tables import CATEGORIES, NUMBERS


def prepare(reference: pd.DataFrame) -> Any:
    """Fit on the reference, in ten chunks as it does by default."""
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=[*NUMBERS, *CATEGORIES], treat_as_categorical=list(CATEGORIES), chunk_number=10
    )
    return calculator.fit(reference)


def check(calculator: Any, window: pd.DataFrame) -> int:
    """Calculate one chunk that is the window; return how many columns alert."""
    calculator.chunker = nannyml.chunk.SizeBasedChunker(chunk_size=len(window))
    found = calculator.calculate(window).filter(period="analysis").to_df()
    return int(found.xs("alert", axis=1, level=2).to_numpy().any(axis=0).sum())


if __name__ == "__main__":
    run(prepare, check)
