"""alibi-detect: TabularDrift, Kolmogorov-Smirnov and chi-square with Bonferroni's correction."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from alibi_detect.cd import TabularDrift

from benchmarks.drift.engines.engine import run
from benchmarks.drift.tables import CATEGORIES, NUMBERS


def load(path: Path) -> np.ndarray:
    """Read a file as the matrix of numbers that it takes, categories as codes."""
    frame = pq.read_table(path).to_pandas()
    coded = {name: frame[name].str.removeprefix("level ").astype(np.float64) for name in CATEGORIES}
    matrix: np.ndarray = frame.assign(**coded).to_numpy(dtype=np.float64)
    return matrix


def prepare(reference: np.ndarray) -> Any:
    """Hold the reference."""
    places = {len(NUMBERS) + place: None for place in range(len(CATEGORIES))}
    return TabularDrift(reference, p_val=0.05, categories_per_feature=places)


def check(detector: Any, window: np.ndarray) -> int:
    """Test every column; return how many p-values are under the corrected level."""
    found = detector.predict(window, drift_type="feature", return_p_val=True)
    return int(np.sum(found["data"]["is_drift"]))


if __name__ == "__main__":
    run(prepare, check, load=load)
