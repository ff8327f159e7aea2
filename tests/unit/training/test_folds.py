"""Training rows are dealt into folds once or several times, and entities stay whole each time."""

import numpy as np
import pyarrow as pa
import pytest

from vigie.errors import ConfigurationError
from vigie.training.dataset import DataSpec, build_dataset
from vigie.training.folds import folds_of, usual_folds
from vigie.training.search import TrainingSpec, train_candidates
from vigie.training.split import Split, split

N = 120


def table(entity=None):
    """Return a dataset of two classes, rows of one entity in threes where one is named, and its split."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=N)
    columns = {"x": x, "y": np.where(x + rng.normal(size=N) > 0, "yes", "no")}
    if entity:
        columns[entity] = [f"e{i // 3}" for i in range(N)]
    spec = DataSpec("y", None, None, entity, None, (), 0.25, 7, "auto")
    data = build_dataset(pa.table(columns), spec, None)
    return data, split(data, spec)


def test_each_repeat_checks_every_row_once():
    """The first repeat is what there is without repeats; the others deal the rows otherwise."""
    data, parts = table()
    once = folds_of(data, parts, n_folds=3, seed=7)
    found = folds_of(data, parts, n_folds=3, seed=7, repeats=3)
    checks = [check.tolist() for _, check in found]
    assert checks[:3] == [check.tolist() for _, check in once]
    assert len({tuple(check) for check in checks}) == 9
    for start in (0, 3, 6):
        assert sorted(row for check in checks[start : start + 3] for row in check) == sorted(parts.train.tolist())
    assert all(not set(fit) & set(check) for fit, check in found)


def test_repeats_keep_entities_whole():
    """No entity is on both sides of any fold of any repeat."""
    data, parts = table("who")
    found = folds_of(data, parts, n_folds=3, seed=7, repeats=2)
    assert parts.by_entity
    assert len({tuple(check.tolist()) for _, check in found}) == 6
    for fit, check in found:
        assert not set(data.entities[fit].tolist()) & set(data.entities[check].tolist())


def test_folds_in_order_of_time_are_not_repeated():
    """There is one way to cut them; asking for more is refused with the reason."""
    data, parts = table()
    in_time = Split(parts.train, parts.test, "by time", by_time=True)
    with pytest.raises(ConfigurationError, match="nothing to repeat"):
        folds_of(data, in_time, n_folds=3, seed=7, repeats=2)


@pytest.mark.parametrize(("n_rows", "n_folds"), [(20, 5), (20_000, 5), (20_001, 3), (1_000_000, 3)])
def test_many_rows_need_fewer_folds(n_rows, n_folds):
    """Up to twenty thousand rows five, beyond three."""
    assert usual_folds(n_rows) == n_folds


def test_a_repeated_training_says_so():
    """Six figures, one interval over all of them, and each row's out-of-fold answer once."""
    data, parts = table()
    spec = TrainingSpec(("logistic",), "roc_auc", 3, 7, None, repeats=2)
    board = train_candidates(data, parts, spec, progress=lambda *_: None, seconds=lambda: 0.0)
    entry = board.winner
    assert (board.n_folds, board.n_repeats, len(entry.folds["roc_auc"])) == (3, 2, 6)
    assert entry.cv.value == pytest.approx(np.mean(entry.folds["roc_auc"]), rel=1e-12)
    assert entry.cv.reason == "Mean over 3 folds, dealt 2 times."
    assert len(entry.out_of_fold) == len(entry.losses) == len(set(entry.out_of_fold_rows.tolist())) == len(parts.train)
