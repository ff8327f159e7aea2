"""The synthetic table."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from benchmarks import tables
from benchmarks.tables import wide_churn


def test_the_table_has_the_promised_shape() -> None:
    """Twenty numbers, ten categories, a target; missing values where the docstring says."""
    table = wide_churn(4_000, seed=1)
    kinds = [str(field.type) for field in table.schema]
    assert kinds == ["double"] * 20 + ["string"] * 11
    lacking = {name: table[name].null_count / 4_000 for name in table.column_names if table[name].null_count}
    assert list(lacking) == ["x02", "x07", "x12", "x17", "c04", "c07"]
    assert all(0.04 < share < 0.14 for share in lacking.values())


def test_the_same_seed_gives_the_same_table() -> None:
    """A seed stands for its rows; another seed gives others."""
    assert wide_churn(500, seed=3).equals(wide_churn(500, seed=3))
    assert not wide_churn(500, seed=3).equals(wide_churn(500, seed=4))


def test_the_truth_has_the_stated_auc(monkeypatch: pytest.MonkeyPatch) -> None:
    """The true probabilities separate as well as the docstring says: what no model can beat but by luck."""
    seen: list[np.ndarray] = []
    truth = tables._log_odds
    monkeypatch.setattr(tables, "_log_odds", lambda *given: seen.append(truth(*given)) or seen[-1])
    left = np.array(wide_churn(50_000, seed=5)["churn"].to_pylist()) == "yes"
    assert roc_auc_score(left, seen[0]) == pytest.approx(0.86, abs=0.008)
    assert 0.2 < left.mean() < 0.3
