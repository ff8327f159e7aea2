"""A bundle serves only if it answers its own golden rows as it did when it was made."""

import json
from datetime import UTC, datetime

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from vigie.bundle.archive import BundleContent, pack
from vigie.bundle.manifest import Member
from vigie.bundle.trust import Trust
from vigie.domain.frame import model_frame
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.errors import BundleError
from vigie.loop.golden import golden_rows
from vigie.loop.open_bundle import open_bundle

NOW = datetime(2026, 3, 1, tzinfo=UTC)
FEATURES = (Feature("a", Kind.NUMBER), Feature("b", Kind.INTEGER))
PRICE = Schema(FEATURES, Target("y", Task.REGRESSION))
STAYS = Schema(FEATURES, Target("y", Task.BINARY, ("no", "yes")))


def _members(schema):
    rng = np.random.default_rng(1)
    columns = {"a": rng.normal(size=50).tolist(), "b": rng.integers(0, 9, 50).tolist()}
    is_class = schema.target.task.is_classification
    y = rng.integers(0, 2, 50) if is_class else rng.normal(size=50)
    estimator = LogisticRegression() if is_class else LinearRegression()
    model = Pipeline([("scale", StandardScaler()), ("model", estimator)]).fit(model_frame(schema, columns), y)
    content = BundleContent("m", NOW, schema, model, b"{}", golden_rows(model, schema, columns), [], "digest")
    return pack(content)


def _with_answers(members, edit):
    golden = json.loads(members["golden.json"])
    edit(golden["predictions"][0])
    content = json.dumps(golden).encode()
    manifest = json.loads(members["manifest.json"])
    entry = Member.of(content)
    manifest["members"]["golden.json"] = {"sha256": entry.sha256, "size": entry.size}
    return members | {"golden.json": content, "manifest.json": json.dumps(manifest).encode()}


@pytest.mark.parametrize("schema", [PRICE, STAYS], ids=["regression", "binary"])
def test_an_opened_bundle_answers_like_the_model_that_was_packed(schema):
    """Name, version and date are the bundle's; golden answers are reproduced."""
    members = _members(schema)
    model = open_bundle(members, version="4", trust=Trust())
    assert (model.name, model.version, model.created_at, model.schema) == ("m", "4", NOW, schema)
    golden = json.loads(members["golden.json"])
    answers = model.scorer.score(golden["columns"])
    assert [answer.value for answer in answers] == [stored["value"] for stored in golden["predictions"]]


@pytest.mark.parametrize(
    ("schema", "edit"),
    [
        (PRICE, lambda answer: answer.update(value=answer["value"] + 1e-6)),
        (STAYS, lambda answer: answer.update(probabilities=[p + 1e-6 for p in answer["probabilities"]])),
        (STAYS, lambda answer: answer.update(value="yes" if answer["value"] == "no" else "no")),
        (STAYS, lambda answer: answer.update(probabilities=[1.0])),
    ],
    ids=["number", "probability", "class", "fewer probabilities"],
)
def test_a_golden_row_that_is_answered_differently_refuses_the_bundle(schema, edit):
    """A part in a million is a thousand times what is tolerated."""
    with pytest.raises(BundleError, match="Golden row 0"):
        open_bundle(_with_answers(_members(schema), edit), version="1", trust=Trust())


def test_noise_below_the_tolerance_passes():
    """The order of a sum may change the last digits."""
    members = _with_answers(_members(PRICE), lambda answer: answer.update(value=answer["value"] * (1 + 1e-12)))
    assert open_bundle(members, version="1", trust=Trust()).version == "1"
