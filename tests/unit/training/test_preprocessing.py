"""Categories reach patient boosting as means of their levels, of which no row's own outcome is a part."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from sklearn.preprocessing import OrdinalEncoder

from vigie.domain.task import Task
from vigie.training.candidates import CANDIDATES
from vigie.training.dataset import DataSpec, build_dataset
from vigie.training.preprocessing import build_pipeline

N = 600
SPEC = DataSpec("y", None, None, None, None, (), 0.25, 7, "auto")
PATIENT = CANDIDATES["patient_boosting"]


def dataset(task=Task.BINARY, **columns):
    """Return a dataset of these columns."""
    table = pa.table({name: pa.array(values) for name, values in columns.items()})
    return build_dataset(table, replace(SPEC, task=task), None)


def mixed():
    """Return a dataset with two, three and many levels, a number, and a binary outcome that is pure chance."""
    rng = np.random.default_rng(11)
    return dataset(
        two=[("a", "b")[i % 2] for i in range(N)],
        three=[("a", "b", None)[i % 3] for i in range(N)],
        many=[f"l{i % 60:02d}" for i in range(N)],
        number=rng.normal(size=N),
        y=rng.choice(["no", "yes"], size=N).tolist(),
    )


def columns_of(data, seed=7):
    """Return the unfitted columns part of patient boosting."""
    return build_pipeline(data.schema, PATIENT.needs, PATIENT.build(data.schema.target.task, seed))[:-1]


def test_two_levels_have_codes_and_more_have_means():
    """Two levels need no mean, and the order of more codes says nothing."""
    data = mixed()
    found = columns_of(data)["columns"].transformers
    assert {name: columns for name, _, columns in found} == {
        "numbers": ["number"],
        "categories": ["two"],
        "means": ["three", "many"],
    }


def test_a_mean_is_drawn_towards_the_mean_of_all():
    """Empirical Bayes by hand: n rows of a level weigh n / (n + within / between variance), after all rows are seen."""
    data = mixed()
    encoder = columns_of(data).fit(data.frame, data.y)["columns"].named_transformers_["means"]
    y, rows = data.y.astype(float), (data.frame["many"] == "l07").to_numpy()
    n, mean = rows.sum(), y[rows].mean()
    weight = n * y.var() / (n * y.var() + y[rows].var())
    shown = data.frame.loc[rows, ["three", "many"]].iloc[:1]
    assert encoder.transform(shown)[0, 1] == pytest.approx(weight * mean + (1 - weight) * y.mean(), rel=1e-9)


def test_no_row_tells_its_own_outcome():
    """A column of names, each seen twice, would give half of the outcome away; while fitting it gives none."""
    rng = np.random.default_rng(2)
    data = dataset(
        name=[f"n{i}" for i in range(200)] * 2,
        number=rng.normal(size=400),
        y=np.repeat(rng.choice(["no", "yes"], size=200), 2)[rng.permutation(400)].tolist(),
    )
    columns = columns_of(data)
    learnt = columns.fit_transform(data.frame, data.y)[:, 1]
    leaky = columns.transform(data.frame)[:, 1]
    assert abs(np.corrcoef(learnt, data.y)[0, 1]) < 0.2
    assert np.corrcoef(leaky, data.y)[0, 1] > 0.5


def test_the_seed_deals_the_folds_of_the_means():
    """The same seed gives the same columns to the last bit, another seed others."""
    data = mixed()
    first, same, other = (columns_of(data, seed).fit_transform(data.frame, data.y) for seed in (7, 7, 8))
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("y", "task", "width"),
    [
        # whole numbers: an encoder left to itself would take them for classes
        ([float(i % 7) for i in range(N)], Task.REGRESSION, 1),
        (["abc"[i % 3] for i in range(N)], Task.MULTICLASS, 3),
    ],
)
def test_the_task_says_what_is_averaged(y, task, width):
    """One mean for a quantity, one share a class for several classes."""
    data = dataset(task, many=[f"l{i % 60:02d}" for i in range(N)], number=np.arange(N) / 7, y=y)
    assert columns_of(data).fit_transform(data.frame, data.y).shape == (N, 1 + width)


def test_trees_of_other_candidates_keep_their_codes():
    """Boosting as it comes sees what it always saw."""
    data = mixed()
    candidate = CANDIDATES["hist_gradient_boosting"]
    parts = build_pipeline(data.schema, candidate.needs, candidate.build(Task.BINARY, 7))["columns"].transformers
    assert [(name, type(part)) for name, part, _ in parts][1:] == [("categories", OrdinalEncoder)]
