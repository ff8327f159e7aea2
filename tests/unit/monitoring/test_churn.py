"""The source chapter's churn drift: tenure 24 to 18, amount 60 to 70, complaints 2 to 3, two features that stay."""

from collections import Counter
from functools import cache

import numpy as np

from vigie.domain.measurement import Verdict
from vigie.monitoring.blocks import SCALES
from vigie.monitoring.columns import numeric_column
from vigie.monitoring.thresholds import AlarmRule, judge, spend

RULE = AlarmRule(false_alarm_budget=0.05, psi_margin=0.02, distance_margin=0.05, min_rows=100)
SEEDS = 40
TESTED = 6
"""Five features and the prediction share the budget."""


def _clients(rng, n, *, tenure, amount, spread, complaints):
    return {
        "tenure": np.floor(np.clip(rng.exponential(tenure, n), 1, 120)),
        "amount": np.clip(rng.normal(amount, spread, n), 10, 200),
        "complaints": rng.poisson(complaints, n).astype(float),
        "products": rng.integers(1, 5, n).astype(float),
        "satisfaction": rng.uniform(1, 5, n),
    }


@cache
def _verdicts(reference_rows, window_rows, look):
    """How often each feature got each verdict, over the seeds."""
    found = Counter()
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        reference = _clients(rng, reference_rows, tenure=24, amount=60, spread=25, complaints=2)
        window = _clients(rng, window_rows, tenure=18, amount=70, spread=30, complaints=3)
        for name, values in reference.items():
            column = numeric_column(name, values)
            judgement = judge(
                column, column.count(window[name]), RULE, alpha=spend(0.05, look=look, scales=SCALES) / TESTED
            )
            found[name, judgement.verdict] += 1
    return found


def test_the_clear_drifts_alarm_in_every_look():
    """Amount and complaints at 4,000 against 2,000 rows: at least 38 of 40 seeds, first and fifth look."""
    for look in (1, 5):
        found = _verdicts(4000, 2000, look)
        assert min(found["amount", Verdict.ALARM], found["complaints", Verdict.ALARM]) >= 38


def test_features_that_stay_never_alarm():
    """Products and satisfaction: no alarm in any seed."""
    for look in (1, 5):
        found = _verdicts(4000, 2000, look)
        assert found["products", Verdict.ALARM] == found["satisfaction", Verdict.ALARM] == 0


def test_the_tenure_drift_is_never_called_ok():
    """A stability index of 0.07 at 4,000 against 2,000 rows is near the limit: always a notice, mostly an alarm."""
    for look in (1, 5):
        assert _verdicts(4000, 2000, look)["tenure", Verdict.OK] == 0


def test_the_tenure_drift_alarms_with_enough_rows():
    """8,000 against 3,000 rows: at least 38 of 40 seeds, first and fifth look."""
    for look in (1, 5):
        assert _verdicts(8000, 3000, look)["tenure", Verdict.ALARM] >= 38
