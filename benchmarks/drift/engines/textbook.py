"""The textbook: scipy's two-sample test, PSI on ten deciles and the earth mover's distance, per column, on both tables.

The reference is read again for every window, as the usual recipe does.
"""

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency, ks_2samp, wasserstein_distance

from benchmarks.drift.engines.engine import run


def prepare(reference: pd.DataFrame) -> pd.DataFrame:
    """Keep the reference as it is."""
    return reference


def check(reference: pd.DataFrame, window: pd.DataFrame) -> int:
    """Return how many columns have a p-value under 0.05 or an index over 0.2."""
    return sum(_drifted(reference[name], window[name]) for name in reference.columns)


def _drifted(reference: pd.Series, window: pd.Series) -> bool:
    if pd.api.types.is_numeric_dtype(reference):
        old, new = reference.to_numpy(), window.to_numpy()
        edges = np.unique(np.quantile(old, np.linspace(0, 1, 11)))
        edges[0], edges[-1] = -np.inf, np.inf
        psi = _psi(np.histogram(old, edges)[0], np.histogram(new, edges)[0])
        wasserstein_distance(old, new)
        return bool(ks_2samp(old, new).pvalue < 0.05 or psi > 0.2)
    levels = reference.value_counts().index.union(window.value_counts().index)
    table = np.array([column.value_counts().reindex(levels, fill_value=0).to_numpy() for column in (reference, window)])
    return bool(chi2_contingency(table).pvalue < 0.05 or _psi(*table) > 0.2)


def _psi(old: np.ndarray, new: np.ndarray) -> float:
    r, p = (old + 1) / (old.sum() + len(old)), (new + 1) / (new.sum() + len(new))
    return float(np.sum((p - r) * np.log(p / r)))


if __name__ == "__main__":
    run(prepare, check)
