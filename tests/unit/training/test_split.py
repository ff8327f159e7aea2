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


CLIENTS = pa.array([f"c{i % 23}" for i in range(N)])


def clients(y, entities=CLIENTS):
    """Return a hundred rows of clients who come back."""
    columns = {"x": pa.array([i % 13 for i in range(N)]), "y": pa.array(y), "id": entities}
    return build_dataset(pa.table(columns), replace(SPEC, entity="id"), None)


BY_ENTITY = replace(SPEC, entity="id")


@pytest.mark.parametrize("y", [QUANTITY, BINARY])
def test_entities_that_repeat_are_kept_together(y):
    """Without a word from the user: no client is on both sides, no row is lost, about a fifth is held out."""
    data = clients(y)
    found = split(data, BY_ENTITY)
    assert found.by_entity
    assert set(data.entities[found.train]).isdisjoint(data.entities[found.test])
    assert sorted([*found.train, *found.test]) == list(range(N))
    assert len(found.test) == pytest.approx(20, abs=5)
    assert "all rows of one 'id' on one side" in found.how


def test_classes_keep_their_share_when_entities_stay_together():
    """A quarter is positive on both sides, as far as whole clients allow."""
    data = clients(BINARY)
    found = split(data, BY_ENTITY)
    assert data.y[found.test].mean() == pytest.approx(0.25, abs=0.05)


@pytest.mark.parametrize(("fraction", "expected"), [(0.3, 30), (0.5, 50), (0.02, 5), (0.97, 95)])
def test_classes_and_entities_meet_the_fraction(fraction, expected):
    """To a twentieth of the rows."""
    found = split(clients(BINARY), replace(BY_ENTITY, test_fraction=fraction))
    assert len(found.test) == pytest.approx(expected, abs=5)


def test_a_row_without_entity_is_its_own():
    """Missing names are no reason to keep rows together."""
    data = clients(QUANTITY, pa.array([None if i % 2 else f"c{i % 23}" for i in range(N)]))
    found = split(data, BY_ENTITY)
    known = [name for name in data.entities[found.train] if name is not None]
    assert set(known).isdisjoint(data.entities[found.test])
    assert None in data.entities[found.train].tolist()
    assert None in data.entities[found.test].tolist()


def test_entities_that_do_not_repeat_change_nothing():
    """One row a client: the split is the usual one, to the row."""
    alone = pa.array([f"c{i}" for i in range(N)])
    found = split(clients(BINARY, alone), BY_ENTITY)
    assert found.test.tolist() == split(dataset(BINARY), SPEC).test.tolist()
    assert not found.by_entity


def test_what_the_user_says_goes_before_entities():
    """A random split stays the notebook's, even where clients repeat."""
    found = split(clients(QUANTITY), replace(BY_ENTITY, split="random"))
    assert found.test.tolist() == train_test_split(np.arange(N), test_size=0.2, random_state=42)[1].tolist()


def test_a_grouped_split_needs_entities():
    """Several of them, and a column that names them."""
    with pytest.raises(ConfigurationError, match="needs an entity column"):
        split(dataset(BINARY), replace(SPEC, split="grouped"))
    with pytest.raises(DataError, match="All rows have the same 'id'"):
        split(clients(QUANTITY, pa.array(["c"] * N)), BY_ENTITY)
    with pytest.raises(DataError, match="cannot be split by 'id'"):
        split(clients(QUANTITY), replace(BY_ENTITY, test_fraction=0.99))
