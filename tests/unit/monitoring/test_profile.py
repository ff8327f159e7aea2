"""The reference profile and its bytes."""

import json

import numpy as np
import pytest

from vigie.domain.frame import model_frame
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.errors import BundleError, BundleFormatError
from vigie.monitoring.profile import ReferenceProfile, build_profile, class_labels

SCHEMA = Schema(
    features=(Feature("age", Kind.INTEGER, range=(18.0, 90.0)), Feature("city", Kind.CATEGORY, categories=("x", "y"))),
    target=Target("t", Task.BINARY, ("no", "yes")),
)


def _profile(schema=SCHEMA, predicted=(0.1, 0.9, 0.4)):
    frame = model_frame(schema, {"age": [20, None, 60], "city": ["x", "é", None]})
    return build_profile(schema, frame, np.array(predicted))


def test_bytes_come_back_the_same():
    """What is written is read, to the byte."""
    content = _profile().to_bytes()
    assert ReferenceProfile.from_bytes(content).to_bytes() == content


def test_bytes_are_json_with_a_format():
    """The layout names its version, and any JSON reader can open it."""
    data = json.loads(_profile().to_bytes())
    assert data["format"] == 2
    assert [item["name"] for item in data["features"]] == ["age", "city"]


def test_prediction_sits_apart_from_a_feature_of_that_name():
    """A feature called prediction is not confused with what the model said."""
    schema = Schema((Feature("prediction", Kind.NUMBER),), Target("t", Task.REGRESSION))
    profile = build_profile(schema, model_frame(schema, {"prediction": [1.0, 2.0]}), np.array([8.0, 9.0]))
    assert profile.features[0].bounds == (1.0, 2.0)
    assert profile.prediction.bounds == (8.0, 9.0)


def test_multiclass_predictions_are_counted_by_label():
    """Class indices become labels, in a categorical column."""
    schema = Schema(SCHEMA.features, Target("t", Task.MULTICLASS, (3, 1, 2)))
    profile = _profile(schema, (0, 0, 2))
    assert profile.prediction.levels == ("1", "2", "3")
    assert profile.prediction.counts.cells.tolist() == [0, 1, 2, 0, 0]


def test_an_index_without_a_class_has_no_label():
    """NaN, negative and too large indices are missing, not an error."""
    labels = class_labels(np.array([1.0, np.nan, -1.0, 5.0]), ("a", "b"))
    assert labels[0] == "b"
    assert all(label != label for label in labels[1:])  # noqa: PLR0124  NaN is the only value unlike itself


def test_predictions_must_be_as_many_as_rows():
    """A mistake of the caller is told at once."""
    with pytest.raises(ValueError, match="3 rows cannot have 1"):
        _profile(predicted=(0.5,))


def test_another_format_is_refused_by_name():
    """A later layout asks for the Vigie that wrote it."""
    with pytest.raises(BundleFormatError):
        ReferenceProfile.from_bytes(_profile().to_bytes().replace(b'"format":2', b'"format":3'))


def _with(change):
    data = json.loads(_profile().to_bytes())
    change(data)
    return json.dumps(data).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b"null",
        b'{"format": 1}',
        b'{"format": 2}',
        b"[" * 100_000,
        _with(lambda d: d["features"][0].update(edges=[2.0, 1.0])),
        _with(lambda d: d["features"][0].update(edges=[float("nan")])),
        _with(lambda d: d["features"][0].update(cells=[1])),
        _with(lambda d: d["features"][0].update(cells=[-1] * len(d["features"][0]["cells"]))),
        _with(lambda d: d["features"][0].update(cells=[10**400] * len(d["features"][0]["cells"]))),
        _with(lambda d: d["features"][0].update(deciles=[999])),
        _with(lambda d: d["features"][0].update(mean="tall")),
        _with(lambda d: d["features"][0].update(bounds=[float("inf"), 1])),
        _with(lambda d: d["features"][1].update(levels=["x", "x", "y"])),
        _with(lambda d: d["features"][1].update(kind="tensor")),
        _with(lambda d: d["features"][1].update(kind=[])),
        _with(lambda d: d["features"][1].update(name=3)),
        _with(lambda d: d.update(rows=7)),
        _with(lambda d: d.update(features=7)),
        _with(lambda d: d.update(prediction=None)),
    ],
)
def test_garbage_is_a_bundle_error(content):
    """Whatever the bytes are, the answer is one kind of error, never a crash or a wrong profile."""
    with pytest.raises(BundleError):
        ReferenceProfile.from_bytes(content)


def test_size_is_fixed():
    """A hundred times the rows do not make the profile of a column larger than a few kilobytes."""
    schema = Schema((Feature("x", Kind.NUMBER),), Target("t", Task.REGRESSION))
    values = np.random.default_rng(0).normal(size=100_000)
    content = build_profile(schema, model_frame(schema, {"x": values}), values).to_bytes()
    assert len(content) < 2 * 12_000
