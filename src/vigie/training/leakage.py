"""What makes held-out scores too good to be true: a feature that tells the answer, rows or entities on both sides.

These are warnings and not refusals, because only a person knows whether a feature is there at the time of asking. A
copy of the target is refused earlier, in ``dataset``. Names are not looked at: that a column is called ``cancelled_at``
proves nothing.
"""

import numpy as np
import pandas as pd
from scipy.stats import rankdata, spearmanr

from vigie.evaluation.metrics import Scores, roc_auc
from vigie.reporting.wording import percent
from vigie.training.dataset import FEWEST_ROWS, Dataset
from vigie.training.split import Split

TELLING_AUC = 0.98
"""A single feature that separates a class from the others this well is more often a leak than luck."""

TELLING_CORRELATION = 0.995
"""Of ranks, absolute: a quantity that follows the target this closely is more often derived from it."""

FEWEST_COPIES = 0.01
"""Share of the held-out rows that may occur among the learnt ones without a word."""

_BINS = 64


def leakage_warnings(dataset: Dataset, split: Split) -> tuple[str, ...]:
    """Return a sentence for everything noticed, features first.

    Features are judged on the training rows alone.

    Args:
        dataset: all rows.
        split: which of them are held out.
    """
    found = [_telling(dataset, split, name) for name in dataset.schema.names]
    return tuple(sentence for sentence in (*found, _copies(dataset, split), _met_again(dataset, split)) if sentence)


def _telling(dataset: Dataset, split: Split, name: str) -> str:
    target = dataset.schema.target
    y, values = dataset.y[split.train], dataset.frame[name].iloc[split.train]
    if target.task.is_classification:
        auc = separation(_levels(values), y, len(target.classes))
        how, telling = f"a ROC-AUC of {auc:.3f} by itself", auc >= TELLING_AUC
    else:
        strength = _strength(values, y)
        how, telling = f"a rank correlation of {strength:.4f}", strength >= TELLING_CORRELATION
    if not telling:
        return ""
    return (
        f"{name!r} alone predicts {target.name!r} almost perfectly ({how}): is it known when a prediction is asked "
        "for? If not, add it to data.exclude."
    )


def _levels(values: pd.Series) -> np.ndarray:
    """Return one small code a row: the category, or the quantile bin of a number; missing is a level of its own."""
    if not pd.api.types.is_numeric_dtype(values):
        return np.asarray(pd.factorize(values)[0], dtype=np.int64) + 1
    numbers = values.to_numpy(dtype=np.float64)
    known = np.isfinite(numbers)
    n_bins = min(_BINS, max(2, int(np.sqrt(known.sum()))))
    codes = np.zeros(len(numbers), dtype=np.int64)
    if known.any():
        edges = np.unique(np.quantile(numbers[known], np.arange(1, n_bins) / n_bins))
        codes[known] = 1 + np.searchsorted(edges, numbers[known], side="right")
    return codes


def separation(levels: np.ndarray, y: np.ndarray, n_classes: int) -> float:
    """Return how well the levels of one feature separate the classes: the lowest ROC-AUC of a class against the rest.

    Each half of the rows is scored by the class shares that the other half has at the same level, so that a column of
    unique names does not look like an answer. Any shape of relation is seen, not only a rising one.

    Args:
        levels: shape (n,), a code a row.
        y: shape (n,), class indices below ``n_classes``.
        n_classes: at least two.

    Returns:
        A value in [0, 1]; 0.5 when a class lacks rows to be judged on.
    """
    half = np.arange(len(y)) % 2 == 0
    n_levels = int(levels.max()) + 1
    lowest = 1.0
    for label in range(n_classes) if n_classes > 2 else (1,):
        is_label = y == label
        scores = np.empty(len(y))
        for asked, known in ((half, ~half), (~half, half)):
            total = np.bincount(levels[known], minlength=n_levels)
            hits = np.bincount(levels[known], is_label[known], minlength=n_levels)
            share = (hits + is_label[known].mean()) / (total + 1)  # a level of few rows is drawn to the overall share
            scores[asked] = rankdata(share[levels[asked]]) / asked.sum()  # each half on its own scale
        auc = roc_auc(Scores(is_label.astype(np.int64), scores > 0.5, np.column_stack([1 - scores, scores])))
        lowest = min(lowest, 0.5 if np.isnan(auc) else auc)
    return lowest


def _strength(values: pd.Series, y: np.ndarray) -> float:
    """Return |Spearman| of a number with the target where it is known, 0 where too few are or nothing varies.

    Ranks are not moved by one huge value that both happen to share, which Pearson's correlation is.
    """
    if not pd.api.types.is_numeric_dtype(values):
        return 0.0
    numbers = values.to_numpy(dtype=np.float64)
    known = np.isfinite(numbers)
    numbers, y = numbers[known], y[known]
    if len(y) < FEWEST_ROWS or numbers.min() == numbers.max() or np.ptp(y) == 0:
        return 0.0
    return abs(float(spearmanr(numbers, y).statistic))


def _copies(dataset: Dataset, split: Split) -> str:
    """Rows that were repeated before the split; repeats that chance makes of coarse features are none.

    Chance repeats the features of a row with whatever outcome comes, a copy always with the same one.
    """
    rows = pd.util.hash_pandas_object(dataset.frame, index=False).to_numpy()
    whole = pd.util.hash_pandas_object(pd.DataFrame({"row": rows, "y": dataset.y}), index=False).to_numpy()
    again = np.isin(rows[split.test], rows[split.train])
    if again.sum() < max(1.0, FEWEST_COPIES * len(again)):
        return ""
    distinct = pd.DataFrame({"row": rows, "whole": whole}).drop_duplicates()
    ambiguous = distinct["row"][distinct["row"].duplicated()].to_numpy()
    if np.isin(rows[split.test][again], ambiguous).mean() > FEWEST_COPIES:
        return ""
    return (
        f"{again.sum():,} of {len(again):,} held-out rows ({percent(again.mean())}) have the same features and the "
        f"same {dataset.schema.target.name!r} as a row to learn from: remove duplicates, or name what they share as "
        "data.entity."
    )


def _met_again(dataset: Dataset, split: Split) -> str:
    """Entities on both sides, unless time separates them: in production, too, the clients of yesterday come back."""
    if dataset.entities is None or split.by_time or split.by_entity:
        return ""
    known = np.array([name is not None for name in dataset.entities])
    learnt = set(dataset.entities[split.train][known[split.train]])
    met = sum(name in learnt for name in dataset.entities[split.test])
    if not met:
        return ""
    return (
        f"{met:,} of {len(split.test):,} held-out rows are about a {dataset.schema.entity!r} that is also learnt from, "
        'which makes scores look better than they are: say split = "grouped".'
    )
