"""``schema.toml`` comes back as it was written, whatever the names; what a person broke is told by key."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigie.adapters.schema_file import read_schema, write_schema
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.errors import ConfigurationError, StorageError

words = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(
    ['a"b', "it's", "a.b", "é", "a b", "#x", "[t]", "x]", "a=b", "\\n", "\n", "\x7f", "\x00", "", "日本", "😀", "true"]
)
numbers = st.floats(allow_nan=False, allow_infinity=False)
whole = st.integers(-(2**53), 2**53).map(float)


@st.composite
def features(draw):
    """Draw one feature of any kind."""
    kind = draw(st.sampled_from(list(Kind)))
    bounds = whole if kind is not Kind.NUMBER else numbers
    pair = st.tuples(bounds, bounds).map(lambda two: (min(two), max(two)))
    limits = st.tuples(st.none() | bounds, st.none() | bounds)
    if not kind.is_numeric:
        return Feature(draw(words), kind, draw(st.booleans()), categories=tuple(draw(st.lists(words, max_size=3))))
    low, high = draw(limits)
    if low is not None and high is not None and low > high:
        low, high = high, low
    chosen = draw(st.sampled_from([None, (low, high)]))
    return Feature(draw(words), kind, draw(st.booleans()), draw(st.none() | pair), chosen)


targets = st.one_of(
    st.builds(lambda name: Target(name, Task.REGRESSION), words),
    st.builds(lambda name, classes: Target(name, Task.BINARY, tuple(classes)), words,
              st.lists(words, min_size=2, max_size=2, unique=True)),
    st.builds(lambda name: Target(name, Task.BINARY, (False, True)), words),
    st.builds(lambda name: Target(name, Task.MULTICLASS, (1, 2, 3)), words),
)  # fmt: skip
schemas = st.builds(
    lambda found, target, entity: Schema(tuple(found), target, entity),
    st.lists(features(), min_size=1, max_size=4, unique_by=lambda feature: feature.name),
    targets,
    st.none() | words.filter(bool),
)


@settings(max_examples=150, deadline=None)
@given(schema=schemas)
def test_what_is_written_is_read(tmp_path_factory, schema):
    """Quotes, dots, control characters, open limits, integers as classes: all come back equal."""
    path = tmp_path_factory.getbasetemp() / "schema.toml"
    write_schema(path, schema)
    assert read_schema(path) == schema


def test_no_file_is_no_schema(tmp_path):
    """The first training infers everything."""
    assert read_schema(tmp_path / "schema.toml") is None


GOOD = """
[target]
name = "y"
task = "binary"
classes = ["no", "yes"]

[features.age]
kind = "integer"
nullable = false
limits = [0, inf]

[features."city name"]
kind = "category"
categories = ["Lyon"]
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('kind = "integer"', 'kind = "integre"', "Did you mean 'integer'"),
        ('kind = "integer"', "", "is not a kind"),
        ("nullable = false", 'nullable = "no"', r"features\.age\.nullable"),
        ("nullable = false", "nulable = false", "Did you mean 'nullable'"),
        ("limits = [0, inf]", "limits = 3", r"features\.age\.limits"),
        ("limits = [0, inf]", "limits = [5, 1]", "Swap them"),
        ("limits = [0, inf]", "limits = [nan, 1]", "Two numbers"),
        ("limits = [0, inf]", "limits = [true, 5]", "Two numbers"),
        ('categories = ["Lyon"]', 'categories = "Lyon"', "is not a list"),
        ('categories = ["Lyon"]', "categories = [75]", "is not a text"),
        ('classes = ["no", "yes"]', 'classes = "ny"', r"target\.classes"),
        ('name = "y"', "name = 3", r"target\.name"),
        ('task = "binary"', 'task = "binery"', "not a schema"),
        ("[target]", "[targets]", "not a schema"),
        ("[target]", "[target", "not TOML"),
    ],
)
def test_what_a_person_broke_is_told(tmp_path, old, new, said):
    """The file, the key, and what to write."""
    assert old in GOOD
    path = tmp_path / "schema.toml"
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(ConfigurationError, match=said) as caught:
        read_schema(path)
    assert "schema.toml" in str(caught.value)


def test_a_signature_of_windows_is_read_over(tmp_path):
    """Notepad writes a byte order mark."""
    path = tmp_path / "schema.toml"
    path.write_text("\ufeff" + GOOD, encoding="utf-8")
    assert read_schema(path).names == ("age", "city name")


def test_a_folder_in_its_place_is_told(tmp_path):
    """It cannot be read, and that is said."""
    (tmp_path / "schema.toml").mkdir()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_schema(tmp_path / "schema.toml")


def test_a_file_that_cannot_be_written_is_a_storage_error(tmp_path):
    """And the file that was there stays whole."""
    schema = Schema((Feature("a", Kind.NUMBER),), Target("y", Task.REGRESSION))
    with pytest.raises(StorageError, match="cannot be written"):
        write_schema(tmp_path / "nosuch" / "schema.toml", schema)
    write_schema(tmp_path / "schema.toml", schema)
    assert [path.name for path in tmp_path.iterdir()] == ["schema.toml"]
