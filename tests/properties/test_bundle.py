"""Manifests, schemas and golden rows survive their journey through bytes, and altered bytes never pass for them."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigie.bundle.golden import GoldenRows
from vigie.bundle.manifest import Manifest, Member
from vigie.bundle.schema_member import read_schema
from vigie.domain.prediction import Prediction
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.errors import BundleError

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | FINITE | WORDS,
    lambda inner: st.lists(inner) | st.dictionaries(WORDS, inner),
    max_leaves=4,
)

MANIFESTS = st.builds(
    Manifest,
    name=WORDS,
    created_at=st.datetimes(timezones=st.just(UTC)),
    members=st.dictionaries(WORDS, st.binary(max_size=8).map(Member.of)),
    libraries=st.dictionaries(WORDS, WORDS),
    metrics=st.lists(st.dictionaries(WORDS, JSON), max_size=3).map(tuple),
    data_digest=WORDS,
    git_commit=st.none() | WORDS,
    params=st.dictionaries(WORDS, WORDS),
    lineage=st.dictionaries(WORDS, JSON),
)

FEATURES = st.lists(
    st.builds(
        Feature,
        name=WORDS.filter(lambda name: name != "target"),
        kind=st.sampled_from(Kind),
        nullable=st.booleans(),
        range=st.none() | st.tuples(FINITE, FINITE),
        limits=st.none() | st.tuples(st.none() | FINITE, st.none() | FINITE),
        categories=st.lists(WORDS, max_size=3).map(tuple),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda feature: feature.name,
).map(tuple)

SCHEMA = Schema((Feature("n", Kind.NUMBER, nullable=True), Feature("c", Kind.CATEGORY)), Target("y", Task.REGRESSION))


@settings(max_examples=50)
@given(MANIFESTS)
def test_a_manifest_comes_back(manifest):
    """Every field survives, times included."""
    assert Manifest.from_bytes(manifest.to_bytes()) == manifest


@given(FEATURES)
def test_a_schema_comes_back(features):
    """Floats are the same to the last bit."""
    schema = Schema(features, Target("target", Task.REGRESSION))
    assert read_schema(json.dumps(schema.to_dict()).encode()) == schema


@given(st.lists(st.tuples(st.none() | FINITE, WORDS, FINITE), min_size=1, max_size=10))
def test_golden_rows_come_back_and_agree_with_themselves(rows):
    """Stored answers are the answers, and no tolerance is needed to see it."""
    numbers, words, answers = zip(*rows, strict=True)
    golden = GoldenRows({"n": numbers, "c": words}, tuple(Prediction(answer) for answer in answers))
    again = GoldenRows.from_bytes(golden.to_bytes(), SCHEMA)
    assert again == golden
    again.check(golden.predictions)


@settings(max_examples=50)
@given(MANIFESTS, st.data())
def test_a_damaged_manifest_is_refused_or_still_a_manifest(manifest, data):
    """Cutting a byte out raises nothing but a refusal."""
    content = manifest.to_bytes()
    place = data.draw(st.integers(0, len(content) - 1))
    try:
        Manifest.from_bytes(content[:place] + content[place + 1 :])
    except BundleError:
        return


def test_times_without_a_zone_are_refused():
    """A local time would mean something else on every machine."""
    manifest = Manifest("m", datetime(2026, 1, 1, tzinfo=UTC), {}, {}, (), "d", None, {})
    content = manifest.to_bytes().replace(b"2026-01-01T00:00:00Z", b"2026-01-01T00:00:00")
    with pytest.raises(BundleError, match="time zone"):
        Manifest.from_bytes(content)
