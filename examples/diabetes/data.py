"""Diabetes progression, as scikit-learn ships it."""

import pandas as pd
from sklearn.datasets import load_diabetes


def load() -> pd.DataFrame:
    """Return 442 patients: ten measurements, each centred and scaled by its authors, and ``target``."""
    frame: pd.DataFrame = load_diabetes(as_frame=True).frame
    return frame
