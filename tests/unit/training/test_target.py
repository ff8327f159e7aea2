"""Targets tell their task, and their classes come in order."""

import numpy as np
import pyarrow as pa
import pytest

from vigie.domain.task import Task
from vigie.errors import ConfigurationError, DataError
from vigie.training.target import read_target


def read(values, *, task=None, positive=None):
    """Return the outcomes of a column called t."""
    return read_target("t", pa.chunked_array([pa.array(values)]), task=task, positive=positive)


@pytest.mark.parametrize(
    ("values", "task"),
    [
        ([0, 1] * 20, Task.BINARY),
        ([1.0, 2.0] * 20, Task.BINARY),
        ([True, False] * 20, Task.BINARY),
        (["a", "b"] * 20, Task.BINARY),
        (["a", "b", "c"] * 20, Task.MULTICLASS),
        ([1, 2, 3] * 20, Task.MULTICLASS),
        ([1.0, 2.0, 3.0] * 20, Task.MULTICLASS),
        ([0.5, 1.0, 2.0] * 20, Task.REGRESSION),
        (list(range(21)) * 2, Task.REGRESSION),
        ([i / 7 for i in range(40)], Task.REGRESSION),
    ],
)
def test_the_task_is_inferred(values, task):
    """Two values are binary, many numbers a quantity, few whole numbers and text classes."""
    assert read(values).target.task is task


@pytest.mark.parametrize(
    ("values", "positive", "classes"),
    [
        ([0, 1], None, (0, 1)),
        ([0, 1], "0", (1, 0)),
        ([1.0, 2.0], None, (1, 2)),
        ([1.0, 2.0], "1", (2, 1)),
        ([0, 1], "1.0", (0, 1)),
        ([False, True], None, (False, True)),
        ([False, True], "true", (False, True)),
        ([False, True], "False", (True, False)),
        (["Non", "OUI"], None, ("Non", "OUI")),
        (["YES", "no"], None, ("no", "YES")),
        (["oui", "non"], None, ("non", "oui")),
        (["good", "bad"], None, ("bad", "good")),
        (["good", "bad"], "bad", ("good", "bad")),
        (["Yes", "No"], "yes", ("No", "Yes")),
        (["a", "A"], "a", ("A", "a")),
    ],
)
def test_the_positive_class_is_last(values, positive, classes):
    """Named by its text, or else the one that says yes, or the larger."""
    found = read(values * 20, positive=positive)
    assert found.target.classes == classes
    assert [classes[index] for index in found.y[:2]] == values


def test_a_quantity_is_float64():
    """Regression learns the numbers themselves."""
    found = read(list(range(40)))
    assert found.y.dtype == np.float64
    assert found.target.classes == ()


@pytest.mark.parametrize(
    ("values", "task", "said"),
    [
        (["a", "b", "c"] * 9, Task.BINARY, "3 classes"),
        (["a", "b"] * 9, Task.MULTICLASS, "2 classes"),
        (["a", "b"] * 9, Task.REGRESSION, "regression needs numbers"),
        (["1", "2", "3", "4", "x"] * 9, None, "mixes numbers and text"),
    ],
)
def test_a_task_that_does_not_fit_is_refused(values, task, said):
    """The user's word is checked against the column."""
    with pytest.raises(DataError, match=said):
        read(values, task=task)


def test_an_unknown_positive_class_is_refused():
    """The nearest class is offered."""
    with pytest.raises(ConfigurationError, match="Did you mean 'malignant'"):
        read(["malignant", "benign"] * 20, positive="malignent")


@pytest.mark.parametrize("values", [["a", "b", "c"] * 9, list(range(40))])
def test_only_two_classes_have_a_positive_one(values):
    """Elsewhere the setting has no meaning, and saying so beats ignoring it."""
    with pytest.raises(ConfigurationError, match=r"data\.positive"):
        read(values, positive="a")


def test_a_number_whose_error_cannot_be_measured_is_refused():
    """Beyond 1e37 tests of a squared error have no result: the target, the count and the rows are named."""
    with pytest.raises(DataError, match=r"'t' holds 2 numbers beyond 1e\+37 in size \(rows 1, 3\)"):
        read([1e308, 0.5, -1e38] + [i / 7 for i in range(40)])
    assert read([1e37, -1e37, 0.5] * 20).y.max() == 1e37
