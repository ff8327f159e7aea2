"""The area under the precision-recall curve and its interval."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from vigie.domain.task import Task
from vigie.evaluation.intervals import logit_interval, measure
from vigie.evaluation.metrics import METRICS, Scores


def scores(rng: np.random.Generator, n: int, *, digits: int = 9) -> Scores:
    """Return rows of which a fifth are positive."""
    y = (rng.uniform(size=n) < 0.2).astype(int)
    proba = np.round(1 / (1 + np.exp(-rng.normal(1.5 * y - 1, 1))), digits)
    return Scores(y, (proba > 0.5).astype(int), np.column_stack([1 - proba, proba]))


@pytest.mark.parametrize("digits", [9, 1])
def test_the_area_is_scikit_learns(digits: int) -> None:
    """With and without ties."""
    found = scores(np.random.default_rng(1), 500, digits=digits)
    theirs = average_precision_score(found.y, found.proba[:, 1])
    assert METRICS["pr_auc"].compute(found) == pytest.approx(theirs, abs=1e-12)


def test_the_interval_covers_the_area() -> None:
    """Of 300 samples of 500 rows, at least 93 % hold the area of a sample of a million."""
    rng = np.random.default_rng(2)
    truth = METRICS["pr_auc"].compute(scores(rng, 1_000_000))
    found = [
        next(item for item in measure(scores(rng, 500), Task.BINARY) if item.name == "pr_auc").interval
        for _ in range(300)
    ]
    assert np.mean([item.low <= truth <= item.high for item in found]) >= 0.93


def test_there_is_no_interval_at_the_ends() -> None:
    """A perfect ranking, or a single positive row, has none."""
    assert logit_interval(1.0, 50) is None
    assert logit_interval(0.5, 1) is None
    assert logit_interval(float("nan"), 0) is None
