"""Coefficients carry the names of the columns they multiply, and together they are the model."""

import numpy as np
import pyarrow as pa
import pytest

from vigie.domain.task import Task
from vigie.training.asked import candidates_for
from vigie.training.coefficients import coefficients_of
from vigie.training.dataset import DataSpec, build_dataset
from vigie.training.fitting import Fitting

SPEC = DataSpec("y", None, None, None, None, (), 0.25, 7, "auto")
N = 300
ROWS = np.arange(N)


def fitted(y, name, *, mixed=True):
    """Return the dataset and a model fitted on all of it; ``mixed`` adds a category with gaps and a rare level."""
    rng = np.random.default_rng(3)
    columns = {"a": pa.array(rng.normal(5, 2, N)), "b": pa.array(rng.normal(size=N))}
    if mixed:
        levels = [None if i % 9 == 0 else "teal" if i % 50 == 1 else ("red", "green")[i % 2] for i in range(N)]
        columns = {"c": pa.array(levels), **columns}
    data = build_dataset(pa.table({**columns, "y": pa.array(y(rng))}), SPEC, None)
    candidate = candidates_for(data.schema.target.task, [name])[0]
    return data, Fitting(candidate, data, 7).fitted(ROWS, {})


def test_names_and_values_make_the_prediction():
    """Standardised numbers and levels times their coefficients, plus the intercept, are what the model says."""
    data, model = fitted(lambda rng: rng.normal(size=N), "ols")
    (line,) = coefficients_of(model, data.schema)
    assert list(line.values) == ["a", "b", "c=green", "c=red", "c=(missing)", "c=(rare)"]
    said = np.full(N, line.intercept)
    for name in ("a", "b"):
        column = data.frame[name].to_numpy()
        said += line.values[name] * (column - column.mean()) / column.std()
    for level, label in (("green", "green"), ("red", "red"), ("(rare)", "teal")):
        said += line.values[f"c={level}"] * (data.frame["c"] == label).to_numpy()
    said += line.values["c=(missing)"] * data.frame["c"].isna().to_numpy()
    assert said == pytest.approx(model.predict(data.frame), abs=1e-9)


def test_two_classes_have_one_line_and_three_have_three():
    """The log-odds of the positive class, or a score a class."""
    data, model = fitted(lambda rng: rng.choice(["no", "yes"], N), "logistic", mixed=False)
    (line,) = coefficients_of(model, data.schema)
    assert list(line.values) == ["a", "b"]
    data, model = fitted(lambda rng: rng.choice(["low", "mid", "high"], N), "logistic", mixed=False)
    assert data.schema.target.task is Task.MULTICLASS
    assert len(coefficients_of(model, data.schema)) == 3


def test_zeros_are_counted():
    """The LASSO drops what is noise."""
    data, model = fitted(lambda rng: rng.normal(size=N), {"name": "lasso", "alpha": 10.0}, mixed=False)
    (line,) = coefficients_of(model, data.schema)
    assert (line.n_zero, line.sparsity) == (2, 1.0)


@pytest.mark.parametrize("name", ["gradient_boosting", "sklearn.svm.SVR"])
def test_what_is_no_line_has_none(name):
    """Trees, and the dual coefficients of a kernel, which are not about columns."""
    data, model = fitted(lambda rng: rng.normal(size=N), name, mixed=False)
    assert coefficients_of(model, data.schema) is None
