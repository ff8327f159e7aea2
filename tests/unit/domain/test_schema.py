"""The schema's names, digest and plain form."""

import json
from dataclasses import replace

import pytest

from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task

AGE = Feature("age", Kind.INTEGER, nullable=True, range=(18.0, 90.0), limits=(0.0, None))
COUNTRY = Feature("country", Kind.CATEGORY, categories=("be", "fr"))
SCHEMA = Schema((AGE, COUNTRY), Target("churn", Task.BINARY, ("no", "yes")), entity="client_id")


def test_plain_form_and_back():
    """A schema survives JSON."""
    assert Schema.from_dict(json.loads(json.dumps(SCHEMA.to_dict()))) == SCHEMA


def test_positive_class_is_last():
    """The class a binary answer reports is the last one."""
    assert SCHEMA.target.positive == "yes"


def test_features_go_by_name():
    """A feature is found by its name; another name is a KeyError."""
    assert SCHEMA.feature("country") is COUNTRY
    assert SCHEMA.names == ("age", "country")
    with pytest.raises(KeyError):
        SCHEMA.feature("Country")


@pytest.mark.parametrize(
    "other",
    [
        replace(SCHEMA, features=(replace(AGE, range=(0.0, 1.0)), COUNTRY)),
        replace(SCHEMA, features=(replace(AGE, nullable=False, limits=None), COUNTRY)),
        replace(SCHEMA, features=(AGE, replace(COUNTRY, categories=()))),
        replace(SCHEMA, entity=None),
    ],
    ids=["range", "nullable", "categories", "entity"],
)
def test_digest_ignores_what_rows_do_not_show(other):
    """What was seen at training does not change the shape of a logged row."""
    assert other.digest == SCHEMA.digest


@pytest.mark.parametrize(
    "other",
    [
        replace(SCHEMA, features=(COUNTRY, AGE)),
        replace(SCHEMA, features=(replace(AGE, name="Age"), COUNTRY)),
        replace(SCHEMA, features=(replace(AGE, kind=Kind.NUMBER), COUNTRY)),
        replace(SCHEMA, features=(AGE,)),
        replace(SCHEMA, target=replace(SCHEMA.target, classes=("yes", "no"))),
        replace(SCHEMA, target=replace(SCHEMA.target, task=Task.MULTICLASS)),
    ],
    ids=["order", "name", "kind", "fewer", "classes", "task"],
)
def test_digest_sees_the_shape(other):
    """Names, kinds, order and target decide the digest."""
    assert other.digest != SCHEMA.digest


@pytest.mark.parametrize("spoil", ["features", "target", "entity"])
def test_half_a_schema_is_refused(spoil):
    """A missing part is an error, not a default."""
    data = SCHEMA.to_dict()
    del data[spoil]
    with pytest.raises(KeyError):
        Schema.from_dict(data)


def test_unknown_kind_is_refused():
    """A kind that Vigie does not know is an error."""
    data = SCHEMA.to_dict()
    data["features"][0]["kind"] = "date"
    with pytest.raises(ValueError, match="date"):
        Schema.from_dict(data)
