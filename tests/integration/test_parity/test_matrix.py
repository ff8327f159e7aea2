"""Compiled models against scikit-learn: every estimator behind every preprocessing, on rows chosen to tell them apart.

The reference is scikit-learn's own predict, predict_proba and decision_function on the frame; refusals are compared
too. A core of pipelines runs always, the rest of the matrix is marked slow.
"""

import math

import msgspec
import numpy as np
import pytest
from parity_comparison import compare
from parity_pipelines import CASES, CORE, PARAMETERS, TASKS, codes, columns_of, fitted, table
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.pipeline import Pipeline

from vigie.bundle.compiler.export import export
from vigie.domain.frame import model_frame
from vigie.inference.compiled.scorer import CompiledScorer


def test_the_matrix_is_as_large_as_promised():
    """At least 150 pipelines, at least 40 of them on every run."""
    assert len(CASES) >= 150
    assert len(CORE) >= 40


@pytest.mark.parametrize(("task", "estimator", "preparation"), PARAMETERS)
def test_a_compiled_pipeline_answers_and_refuses_as_scikit_learn(task, estimator, preparation):
    """Raw scores of trees to the last bit, sums within their noise, links within ulps, labels and refusals equal."""
    schema, model = fitted(task, estimator, preparation)
    answered, _ = compare(schema, model, n=len(estimator + preparation))
    assert answered >= 50


NATIVE = {
    "classifier": ("binary", HistGradientBoostingClassifier),
    "four classes": ("four", HistGradientBoostingClassifier),
    "regressor": ("regression", HistGradientBoostingRegressor),
}


@pytest.mark.parametrize(("task", "build"), NATIVE.values(), ids=NATIVE)
@pytest.mark.parametrize("coded", [False, True], ids=["text", "codes"])
def test_native_categories_are_looked_up_as_the_inner_encoder_does(task, build, coded):
    """Text or ordinal codes that the model itself takes for categories: same answers, unseen and missing included."""
    schema, columns = TASKS[task][1], table(1)
    estimator = build(max_iter=9, min_samples_leaf=3, categorical_features=[1, 4, 5] if coded else ["c", "d"])
    steps = [("codes", columns_of("passthrough", codes()) if coded else "passthrough")]
    n_classes = len(schema.target.classes)
    signal = np.array([hash_of(row) for row in zip(columns["c"], columns["d"], strict=True)])
    y = signal % n_classes if n_classes else signal.astype(float)
    if coded:
        columns["b"] = [float(round(value)) for value in columns["b"]]
    model = Pipeline([*steps, ("model", estimator)]).fit(model_frame(schema, columns), y)
    answered, _ = compare(schema, model)
    assert answered >= 50
    assert any(cat >= 0 for cat in CompiledScorer(export(model, schema), schema).spec.cat)


def hash_of(pair):
    """Return a number that depends on the categories and on nothing else."""
    return sum(map(ord, f"{pair[0]}{pair[1]}")) * 7 % 11


def tampered(content, edit):
    """Return a spec with one thing changed."""
    spec = msgspec.json.decode(content)
    edit(spec)
    return msgspec.json.encode(spec)


CONTROLS = {
    "a threshold one step on": (
        "hist",
        lambda spec: spec["thr"].__setitem__(0, math.nextafter(spec["thr"][0], math.inf)),
    ),
    "a leaf one step on": ("hist", lambda spec: spec["leaf"].__setitem__(0, math.nextafter(spec["leaf"][0], math.inf))),
    "missing goes the other way": ("hist", lambda spec: spec.update(mleft=[1 - bit for bit in spec["mleft"]])),
    "float32 forgotten": ("forest", lambda spec: spec.update(f32=False, inf=True)),
    "a weight a part in ten thousand million off": (
        "logistic",
        lambda spec: spec["W"][0].__setitem__(0, spec["W"][0][0] * (1 + 1e-10)),
    ),
}


@pytest.mark.parametrize(("estimator", "edit"), CONTROLS.values(), ids=CONTROLS)
def test_the_comparison_can_fail(estimator, edit):
    """A model that differs in the smallest thing is found out by the same comparison."""
    schema, model = fitted(
        "binary", estimator, "mean+indicator, standard, one-hot" if estimator == "logistic" else "passthrough, ordinal"
    )
    altered = tampered(export(model, schema), edit)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        compare(schema, model, altered=altered)
