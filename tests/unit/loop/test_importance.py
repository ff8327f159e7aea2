"""Which features move a model's answers."""

import numpy as np
import pandas as pd
import pytest

from vigie.domain.task import Task
from vigie.loop import importance
from vigie.loop.importance import importance_of

N = 300


class Weighted:
    """Answers with a sum of columns, each with its weight; remembers how much it was asked at once."""

    def __init__(self, weights):
        self.weights, self.most_rows = pd.Series(weights), 0

    def predict(self, frame):
        """Return one number a row."""
        self.most_rows = max(self.most_rows, len(frame))
        return (frame[list(self.weights.index)].astype(float) * self.weights).sum(axis=1).to_numpy()


@pytest.fixture
def frame():
    """Return columns of one spread each, one of them with text categories."""
    rng = np.random.default_rng(5)
    numbers = {f"c{place}": rng.normal(size=N) for place in range(4)}
    return pd.DataFrame(numbers | {"level": pd.Categorical(rng.choice(["1", "2"], N), categories=["1", "2", "3"])})


def test_a_column_weighs_what_it_moves(frame):
    """Twice the weight on the same spread is twice the part; what is not looked at has none."""
    found = importance_of(Weighted({"c0": 1.0, "c1": 2.0}), Task.REGRESSION, frame, seed=0)
    assert found[1] / found[0] == pytest.approx(2, rel=0.15)
    assert found[2:] == (0.0, 0.0, 0.0)
    assert sum(found) == pytest.approx(1)


def test_asking_about_columns_together_changes_no_answer(frame, monkeypatch):
    """However few are asked together, types included: the same parts, and one question for all or one for each."""
    weights = {"c0": 1.0, "c2": 0.3, "level": 0.5}
    together, one_by_one = Weighted(weights), Weighted(weights)
    found = importance_of(together, Task.REGRESSION, frame, seed=1)
    monkeypatch.setattr(importance, "_TOGETHER", 1)
    assert importance_of(one_by_one, Task.REGRESSION, frame, seed=1) == pytest.approx(found, rel=1e-12)
    assert (together.most_rows, one_by_one.most_rows) == (5 * N, N)


def test_of_a_wide_table_fewer_rows_are_asked():
    """The cost would grow with the square of the width."""
    rng = np.random.default_rng(6)
    wide = pd.DataFrame(rng.normal(size=(N, 1000)), columns=[f"c{place}" for place in range(1000)])
    model = Weighted({"c7": 1.0})
    found = importance_of(model, Task.REGRESSION, wide, seed=2)
    assert found[7] == 1
    assert model.most_rows == 20 * 200
