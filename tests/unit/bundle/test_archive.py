"""A bundle comes back as it was packed, and says what it is."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from vigie.bundle.archive import pack, unpack
from vigie.bundle.golden import MAX_ROWS, UNSEEN
from vigie.bundle.members import MAX_BYTES, MODEL, OPTIONAL
from vigie.bundle.serialization import dump_model
from vigie.bundle.trust import TRUSTED_TYPES, Trust
from vigie.errors import BundleError

KINDS = ["logistic", "forest", "boosting", "hist"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_bundle_comes_back_as_it_was_packed(maker, kind):
    """Schema, profile, golden rows, lineage and metrics survive the journey."""
    content = maker.content(kind)
    bundle = unpack(pack(content), trust=Trust())
    assert bundle.schema == content.schema
    assert bundle.profile == content.profile
    assert bundle.golden == content.golden
    assert bundle.manifest.name == "people"
    assert bundle.manifest.created_at == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert bundle.manifest.lineage == {"run_id": "r1", "seed": 42}
    assert bundle.manifest.git_commit == "abc123"
    assert [metric["name"] for metric in bundle.manifest.metrics] == ["accuracy"]


def test_the_members_are_the_ones_the_format_names(maker):
    """Six files, and a manifest that a person can read."""
    members = maker.members()
    assert set(members) == set(MAX_BYTES) - OPTIONAL | {MODEL}
    manifest = json.loads(members["manifest.json"])
    assert manifest["format_version"] == 1
    assert set(manifest["libraries"]) >= {"python", "vigie", "scikit-learn", "numpy"}


def test_nothing_in_a_bundle_is_a_pickle(maker):
    """No member, and no file inside the model, begins as pickles do."""
    assert all(not content.startswith(b"\x80") for content in maker.members("forest").values())


def test_the_golden_rows_hold_what_breaks_scorers(maker):
    """The last two rows miss every nullable value and have an unseen category."""
    golden = maker.content().golden
    assert len(golden.predictions) == MAX_ROWS
    assert golden.columns["amount"][-2] is None
    assert golden.columns["city"][-1] == UNSEEN


def test_the_card_tells_data_metrics_limits_and_origin(maker):
    """A person finds the interval, the number of rows, the categories and the commit."""
    card = maker.members()["card.md"].decode()
    assert "| accuracy | 0.81 | 0.6 to 0.95 (95 %) | 16 |" in card
    for words in ("Lyon, Paris", "abc123", "## Limits", "seed: 42"):
        assert words in card


def test_the_trusted_types_are_eight_and_no_more():
    """The list grows by a decision (0004, 0013, 0014, 0017), not by accident."""
    assert sorted(TRUSTED_TYPES) == [
        "functools.partial",
        "numpy.dtype",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.model_selection._split.KFold",
        "sklearn.model_selection._split.StratifiedKFold",
        "sklearn.tree._tree.Tree",
        "sklearn.utils.validation.check_array",
        "vigie.bundle.adapted.Adapted",
    ]


def test_a_model_with_a_function_of_its_own_cannot_be_packed_silently(maker):
    """What loads only with extra trust is refused by a reader without it, and named."""
    pipeline = Pipeline([("own", FunctionTransformer(Path.cwd)), ("model", LinearRegression())])
    with pytest.raises(BundleError):
        unpack(maker.sealed(maker.members(), model__skops=dump_model(pipeline)), trust=Trust())


def test_only_a_pipeline_can_be_packed():
    """A bare estimator would lose its preprocessing."""
    with pytest.raises(BundleError, match="Pipeline"):
        dump_model(LinearRegression())
