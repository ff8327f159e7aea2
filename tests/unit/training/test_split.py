"""Rows are held out as the user asked, and the two sides never meet."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from sklearn.model_selection import train_test_split

from vigie.errors import ConfigurationError, DataError
from vigie.training.dataset import DataSpec, build_dataset
from vigie.training.split import split

SPEC = DataSpec("y", None, None, None, None, (), 0.2, 42, "auto")
N = 100


def dataset(y, **columns):
    """Return a hundred rows; a column ``at`` is their time."""
    spec = replace(SPEC, time="at" if "at" in columns else None)
    return build_dataset(pa.table({"x": pa.array([i % 13 for i in range(N)]), "y": pa.array(y), **columns}), spec, None)


BINARY = [int(i % 4 == 0) for i in range(N)]
QUANTITY = [i * 1.5 for i in range(N)]


def test_random_is_the_notebooks_split():
    """The same rows in the same order as scikit-learn draws with this seed."""
    found = split(dataset(QUANTITY), replace(SPEC, split="random"))
    train, test = train_test_split(np.arange(N), test_size=0.2, random_state=42)
    assert found.train.tolist() == train.tolist()
    assert found.test.tolist() == test.tolist()


def test_classes_are_stratified_by_default():
    """Each side has the classes in their share."""
    data = dataset(BINARY)
    found = split(data, SPEC)
    assert data.y[found.test].mean() == data.y[found.train].mean() == 0.25
    assert "each class in its share" in found.how


def test_a_time_column_splits_by_time():
    """The latest rows are held out, and the learnt ones come in order of time."""
    at = np.datetime64("2026-01-01") + (37 * np.arange(N)) % N
    data = dataset(QUANTITY, at=pa.array(at))
    found = split(data, SPEC)
    assert len(found.test) == 20
    assert data.times[found.train].max() < data.times[found.test].min()
    assert (np.diff(data.times[found.train]) >= np.timedelta64(0)).all()
    assert found.by_time


def test_rows_of_one_moment_stay_together():
    """The boundary never runs through rows of the same time."""
    at = pa.array(np.datetime64("2026-01-01") + np.arange(N) // 30)
    found = split(dataset(QUANTITY, at=at), SPEC)
    assert sorted(found.test.tolist()) == list(range(60, 100))


@pytest.mark.parametrize("method", ["random", "stratified", "auto"])
def test_both_sides_are_all_rows(method):
    """No row is lost and none is on both sides."""
    found = split(dataset(BINARY), replace(SPEC, split=method))
    assert sorted([*found.train, *found.test]) == list(range(N))


@pytest.mark.parametrize(
    ("y", "changes", "said"),
    [
        (BINARY, {"split": "time"}, "needs a time column"),
        (QUANTITY, {"split": "stratified"}, "needs classes"),
        (BINARY, {"test_fraction": 1.2}, "not a share"),
        (BINARY, {"test_fraction": 0.0}, "not a share"),
    ],
)
def test_impossible_wishes_are_refused(y, changes, said):
    """A method that the data cannot serve is a fault of the configuration."""
    with pytest.raises(ConfigurationError, match=said):
        split(dataset(y), replace(SPEC, **changes))


@pytest.mark.parametrize(
    ("y", "changes", "said"),
    [
        ([1] + [0] * 99, {}, "Class 1 of 'y' has one row"),
        ([1] + [0] * 99, {"split": "random"}, "none of class 1"),
        (BINARY, {"test_fraction": 0.001}, "cannot be split"),
    ],
)
def test_sides_without_a_class_are_refused(y, changes, said):
    """A model that never saw a class, or cannot be judged on it, is not trained."""
    with pytest.raises(DataError, match=said):
        split(dataset(y), replace(SPEC, **changes))


def test_one_moment_cannot_be_split_by_time():
    """When all rows share one time there is no later part."""
    with pytest.raises(DataError, match="share the same 'at'"):
        split(dataset(QUANTITY, at=pa.array(np.full(N, np.datetime64("2026-01-01")))), replace(SPEC, time="at"))


def test_a_class_that_appears_late_is_refused():
    """By time, the learnt rows may lack a class: it is said before anything is fitted."""
    at = pa.array(np.datetime64("2026-01-01") + np.arange(N))
    with pytest.raises(DataError, match="learn from there is none of class 1"):
        split(dataset([0] * 90 + [0, 1] * 5, at=at), SPEC)
