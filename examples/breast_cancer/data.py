"""Wisconsin diagnostic breast cancer data, as scikit-learn ships it."""

import pandas as pd
from sklearn.datasets import load_breast_cancer


def load() -> pd.DataFrame:
    """Return 569 tumours: thirty measurements of cell nuclei, and ``diagnosis``, malignant or benign."""
    data = load_breast_cancer(as_frame=True)
    frame: pd.DataFrame = data.data.rename(columns=lambda name: name.replace(" ", "_"))
    return frame.assign(diagnosis=data.target_names[data.target])
