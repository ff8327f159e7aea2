"""Scores that are too good to be true come with a sentence that names the column, and honest tables with none."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.metrics import roc_auc_score

from vigie.testing.tables import churn_table
from vigie.training.dataset import DataSpec, build_dataset
from vigie.training.leakage import leakage_warnings, separation
from vigie.training.split import split

SPEC = DataSpec("y", None, None, None, None, (), 0.2, 7, "auto")
N = 400


def warned(columns, **changes):
    """Return the warnings for a table."""
    spec = replace(SPEC, **changes)
    data = build_dataset(pa.table(columns), spec, None)
    return leakage_warnings(data, split(data, spec))


def base(seed=1):
    """Return a number, a category and a label that they explain in part, with the generator."""
    rng = np.random.default_rng(seed)
    a = rng.normal(size=N)
    label = np.where(a + rng.normal(size=N) > 0, "yes", "no")
    return {"a": a, "c": rng.choice(["red", "green"], N), "y": label}, rng


def test_honest_tables_raise_nothing():
    """Noise, and the data sets of the examples, of which the strongest single feature has an AUC of 0.97."""
    assert warned(base()[0]) == ()
    cancer = load_breast_cancer(as_frame=True)
    columns = {name: cancer.data[name].to_numpy() for name in cancer.data}
    assert warned({**columns, "y": cancer.target.to_numpy()}) == ()
    diabetes = load_diabetes(as_frame=True)
    columns = {name: diabetes.data[name].to_numpy() for name in diabetes.data}
    assert warned({**columns, "y": diabetes.target.to_numpy()}, split="random") == ()
    churn = churn_table(2_000, seed=1)
    assert warned({name: churn.column(name) for name in churn.column_names}, target="churn", entity="client_id") == ()


def test_numbers_at_the_end_of_float64_are_ranked_in_silence():
    """Their range is no number; their ranks are."""
    columns, rng = base()
    huge = rng.uniform(-1, 1, N) * 1.7e308
    assert warned({**columns, "huge": huge, "y": rng.normal(size=N)}) == ()
    (said,) = warned({**columns, "huge": huge, "y": huge / 1e300})
    assert "'huge' alone predicts" in said


def leaks(columns, rng):
    """Return columns that each give the label away: rising, falling, by level, folded, and by being missing."""
    yes = columns["y"] == "yes"
    noise = rng.normal(size=N) / 10
    flipped = rng.random(N) < 0.005
    return {
        "rising": yes + noise,
        "falling": noise - yes,
        "level": np.where(yes ^ flipped, "paid", "open"),
        "folded": np.where(yes, 1, 3 * rng.choice([-1, 1], N)) + noise,
        "missing": np.where(yes ^ flipped, np.nan, rng.normal(size=N)),
    }


@pytest.mark.parametrize("name", ["rising", "falling", "level", "folded", "missing"])
def test_a_feature_that_tells_the_class_is_named(name):
    """Whatever the shape of the relation."""
    columns, rng = base()
    (sentence,) = warned({**columns, name: pa.array(leaks(columns, rng)[name])})
    assert sentence.startswith(f"{name!r} alone predicts 'y' almost perfectly (a ROC-AUC of 0.9")
    assert "data.exclude" in sentence


def test_each_of_several_classes_must_be_told():
    """A feature that tells one of three classes is a good feature; one that tells all is named."""
    rng = np.random.default_rng(4)
    y = rng.choice(["low", "mid", "high"], N)
    rank = np.array([("low", "mid", "high").index(label) for label in y])
    columns = {"one": (rank == 0) + rng.normal(size=N) / 10, "all": rank + rng.normal(size=N) / 10, "y": y}
    (sentence,) = warned(columns)
    assert sentence.startswith("'all' alone")


def test_a_name_that_hardly_repeats_tells_nothing():
    """An identifier fits the learnt rows perfectly and is no leak of the target."""
    columns, rng = base()
    names = np.array([f"n{i // 2}" for i in rng.permutation(N)])
    assert warned({**columns, "name": names}) == ()


def test_the_separation_of_a_line_is_the_roc_auc():
    """With as many levels as values that repeat, the cross-fitted figure is close to scikit-learn's."""
    rng = np.random.default_rng(3)
    levels = rng.integers(0, 10, 20_000)
    y = (levels + rng.normal(size=20_000) * 3 > 5).astype(int)
    assert separation(levels, y, 2) == pytest.approx(roc_auc_score(y, levels), abs=0.005)


@pytest.mark.parametrize("transform", [lambda y: 3 * y + 1, lambda y: -np.exp(y / 4)])
def test_a_feature_derived_from_a_quantity_is_named(transform):
    """Linear or not, rising or falling, up to a little noise; a shared outlier alone is none."""
    rng = np.random.default_rng(6)
    y, outlier = rng.normal(size=N), rng.normal(size=N)
    columns = {"a": rng.normal(size=N), "derived": transform(y + rng.normal(size=N) / 100), "outlier": outlier}
    y[0], columns["outlier"][0] = 1e6, 1e6
    columns["derived"][0] = transform(8.0)
    (sentence,) = warned({**columns, "y": y})
    assert sentence.startswith("'derived' alone predicts 'y' almost perfectly (a rank correlation of 0.99")


def test_rows_copied_across_the_split_are_counted():
    """A table in which every row stands twice."""
    columns, _ = base()
    (sentence,) = warned({name: np.concatenate([values, values]) for name, values in columns.items()})
    assert "held-out rows" in sentence
    assert "same features and the same 'y' as a row to learn from" in sentence


def test_coarse_features_repeat_by_chance():
    """Two categories have six combinations: that held-out rows were seen before is no copy."""
    rng = np.random.default_rng(2)
    columns = {"c": rng.choice(["red", "green", "blue"], N), "d": rng.choice(["x", "z"], N), "y": rng.integers(0, 2, N)}
    assert warned(columns) == ()


def test_entities_on_both_sides_are_told_where_the_user_chose_so():
    """Grouped by default, there is nothing to tell."""
    columns, _ = base()
    columns["id"] = np.array([f"c{i % 50}" for i in range(N)])
    assert warned(columns, entity="id") == ()
    (sentence,) = warned(columns, entity="id", split="stratified")
    assert "80 of 80 held-out rows are about a 'id' that is also learnt from" in sentence
    assert 'split = "grouped"' in sentence
