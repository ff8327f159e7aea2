"""The wrapper of a model fitted elsewhere: what goes in, what comes out, and what a tampered one does."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from vigie.bundle.adapted import Adapted, adapt, class_order
from vigie.bundle.compiler.export import export
from vigie.bundle.compiler.expression import NotCompiled
from vigie.bundle.serialization import dump_model, load_model
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.errors import BundleError, DataError
from vigie.inference.sklearn_scorer import SklearnScorer

FRAME = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "b": [1.0, 0.0, 1.0, 0.5]})
LABELS = np.array(["no", "yes", "no", "yes"])
FEATURES = (Feature("a", Kind.NUMBER), Feature("b", Kind.NUMBER))


def schema(*classes):
    """Return a schema for these classes, or for a number."""
    task = Task.BINARY if classes else Task.REGRESSION
    return Schema(FEATURES, Target("y", task, classes))


def test_a_pipeline_that_fits_is_taken_as_it_is():
    """Named columns, classes in order: nothing to wrap."""
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(FRAME, LABELS)
    assert adapt(model, schema("no", "yes")) is model


def test_an_estimator_is_put_into_a_pipeline():
    """And is the same object inside."""
    model = LogisticRegression().fit(FRAME, LABELS)
    pipeline = adapt(model, schema("no", "yes"))
    assert type(pipeline) is Pipeline
    assert pipeline.steps == [("model", model)]


def test_classes_change_places_through_the_file():
    """Written, read by the audited reader, and asked: column i is class i of the schema."""
    model = LogisticRegression().fit(FRAME, LABELS)
    again = load_model(dump_model(adapt(model, schema("yes", "no"))), trusted=frozenset())
    assert np.array_equal(again.predict_proba(FRAME), model.predict_proba(FRAME)[:, ::-1])
    answers = SklearnScorer(again, schema("yes", "no")).score({"a": FRAME["a"], "b": FRAME["b"]})
    assert [answer.value for answer in answers] == model.predict(FRAME).tolist()


def test_an_array_is_asked_with_an_array():
    """scikit-learn would warn of names, and warnings are errors here."""
    model = LinearRegression().fit(FRAME.to_numpy(), FRAME["a"] * 2)
    pipeline = adapt(model, schema())
    assert pipeline.predict(FRAME) == pytest.approx(FRAME["a"] * 2)
    assert not hasattr(pipeline, "classes_")


def test_what_only_lacks_names_compiles_and_what_turns_classes_round_does_not():
    """Places are what they were; an order is not."""
    model = LogisticRegression().fit(FRAME.to_numpy(), LABELS)
    assert isinstance(export(adapt(model, schema("no", "yes")), schema("no", "yes")), bytes)
    turned = export(adapt(model, schema("yes", "no")), schema("yes", "no"))
    assert isinstance(turned, NotCompiled)
    assert "another order" in turned.reason


def test_it_is_never_fitted():
    """The golden rule."""
    with pytest.raises(BundleError, match="never fitted again"):
        Adapted(LinearRegression()).fit(FRAME, FRAME["a"])


@pytest.mark.parametrize("order", [(0, 5), (0,), "01", None])
def test_a_tampered_order_does_not_answer(order):
    """The reader of a bundle asks its golden rows first, and refuses what raises here."""
    model = LogisticRegression().fit(FRAME, LABELS)
    pipeline = load_model(dump_model(Pipeline([("model", Adapted(model, order))])), trusted=frozenset())
    with pytest.raises((BundleError, IndexError, AttributeError, ValueError)):
        SklearnScorer(pipeline, schema("no", "yes")).score({"a": [0.0], "b": [1.0]})


@pytest.mark.parametrize(
    ("fitted_on", "classes", "order"),
    [
        ([0, 1, 0, 1], (1, 0), (1, 0)),
        ([0.0, 1.0, 0.0, 1.0], (0, 1), (0, 1)),
        ([False, True, False, True], (False, True), (0, 1)),
        ([0, 1, 0, 1], (False, True), (0, 1)),
        (["b", "a", "b", "a"], ("b", "a"), (1, 0)),
    ],
)
def test_labels_are_matched_by_what_they_are(fitted_on, classes, order):
    """0, 0.0 and False are one class; text is text."""
    model = LogisticRegression().fit(FRAME, fitted_on)
    assert class_order(model, schema(*classes).target) == order


@pytest.mark.parametrize("classes", [("0", "1"), ("no", "yes"), (0, 2)])
def test_other_labels_are_refused(classes):
    """Text that looks like a number is not that number."""
    model = LogisticRegression().fit(FRAME, [0, 1, 0, 1])
    with pytest.raises(DataError, match="knows the classes 0, 1"):
        class_order(model, schema(*classes).target)
