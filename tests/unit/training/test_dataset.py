"""Tables become datasets, or are refused in words that help."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from vigie.domain.schema import MOST_FEATURES, Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.errors import DataError, InsufficientDataError, SchemaMismatchError
from vigie.training.dataset import DataSpec, build_dataset

N = 40
SPEC = DataSpec(
    target="left",
    task=None,
    positive=None,
    entity=None,
    time=None,
    exclude=(),
    test_fraction=0.2,
    seed=1,
    split="auto",
)


def table(**columns):
    """Forty customers; a column given as None is left out."""
    base = {
        "age": pa.array([20 + i % 7 for i in range(N)]),
        "spend": pa.array([1.5 * (i % 11) for i in range(N)]),
        "city": pa.array([("Lyon", "Lille", "Nice")[i % 3] for i in range(N)]),
        "left": pa.array([("no", "yes")[i % 5 == 0] for i in range(N)]),
    }
    return pa.table({name: values for name, values in (base | columns).items() if values is not None})


def schema(*features):
    """Return a declared schema of these features."""
    return Schema(tuple(features), Target("left", Task.BINARY, ("no", "yes")))


AGE, SPEND, CITY = Feature("age", Kind.INTEGER), Feature("spend", Kind.NUMBER), Feature("city", Kind.CATEGORY)


def test_kinds_ranges_and_categories_are_inferred():
    """Whole numbers, decimals and text get their kind and what was seen of them, in the table's order."""
    found = build_dataset(table(), SPEC, None).schema
    assert found.features == (
        Feature("age", Kind.INTEGER, range=(20.0, 26.0)),
        Feature("spend", Kind.NUMBER, range=(0.0, 15.0)),
        Feature("city", Kind.CATEGORY, categories=("Lille", "Lyon", "Nice")),
    )
    assert found.target == Target("left", Task.BINARY, ("no", "yes"))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (pa.array([i % 2 == 0 for i in range(N)]), Kind.BOOLEAN),
        (pa.array([str(i % 3) + "x" for i in range(N)]).dictionary_encode(), Kind.CATEGORY),
        (pa.array([i % 3 for i in range(N)]).dictionary_encode(), Kind.CATEGORY),
        (pa.array([i % 9 for i in range(N)]).cast(pa.decimal128(21, 2)), Kind.NUMBER),
        (pa.array([i % 9 for i in range(N)], pa.uint8()), Kind.INTEGER),
        (pa.array([str(i % 4) for i in range(N)], pa.large_string()), Kind.CATEGORY),
    ],
)
def test_arrow_types_have_a_kind(values, kind):
    """Every plain Arrow type maps to one kind."""
    assert build_dataset(table(extra=values), SPEC, None).schema.feature("extra").kind is kind


def test_missing_values_make_a_feature_nullable():
    """A null or a NaN in training means that requests may leave the value out."""
    found = build_dataset(table(spend=pa.array([None, float("nan")] + [1.0, 2.0] * 19)), SPEC, None)
    assert found.schema.feature("spend").nullable
    assert int(found.frame["spend"].isna().sum()) == 2


def test_roles_are_never_features():
    """Target, entity, time and excluded columns stay out of the frame."""
    columns = {
        "id": pa.array([f"c{i}" for i in range(N)]),
        "at": pa.array([f"2026-01-{i % 28 + 1:02d}" for i in range(N)]),
        "note": pa.array(["x"] * N),
    }
    spec = replace(SPEC, entity="id", time="at", exclude=("note",))
    found = build_dataset(table(**columns), spec, None)
    assert list(found.frame.columns) == ["age", "spend", "city"]
    assert found.entities[3] == "c3"
    assert found.times[3] == np.datetime64("2026-01-04T00:00:00", "us")
    assert found.schema.entity == "id"


@pytest.mark.parametrize(
    "at",
    [
        pa.array(["2026-01-01T02:00:00+02:00"] * N),
        pa.array([0] * N, pa.timestamp("s", "Europe/Paris")).cast(pa.timestamp("us", "Europe/Paris")),
        pa.array([0] * N, pa.date32()),
    ],
)
def test_times_are_utc(at):
    """Zones are converted, dates count from midnight."""
    found = build_dataset(table(at=at), replace(SPEC, time="at"), None)
    assert str(found.times[0]) in {"2026-01-01T00:00:00.000000", "1970-01-01T00:00:00.000000"}


def test_numbers_too_large_for_most_models_are_told():
    """A model that cannot be fitted on them says little of why."""
    largest = [1e38, -3e38] * (N // 2)
    assert build_dataset(table(size=pa.array(largest)), SPEC, None).warnings == ()
    (said,) = build_dataset(table(size=pa.array([1.0, -1.7e308] * (N // 2))), SPEC, None).warnings
    assert said.startswith("'size' holds numbers of up to 1.7e+308 in size: models that square numbers, or keep them")


def test_rows_without_outcome_are_left_out_and_counted():
    """Nothing can be learnt from them, and silence would hide it."""
    left = pa.array([None] * 3 + [("no", "yes")[i % 2] for i in range(N - 3)])
    found = build_dataset(table(left=left), SPEC, None)
    assert len(found) == len(found.frame) == 37
    assert found.warnings == ("3 of 40 rows have no 'left' and were left out.",)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"left": None}, "no column 'left'"),
        ({"left": pa.array([None] * N, pa.string())}, "empty in all 40 rows"),
        ({"left": pa.array(["no"] * N)}, "same value in every row"),
        ({"left": pa.array([3.5] * N)}, "same value in every row"),
        ({"left": pa.array([f"word{i}" for i in range(N)])}, "text with 40 different values"),
        ({"left": pa.array([float(i) for i in range(N - 1)] + [float("inf")])}, r"1 infinite values \(rows 40\)"),
        ({"left": pa.array([[1]] * N)}, "holds list"),
        ({"spend": pa.array([None] * N, pa.float64())}, "no value at all"),
        ({"spend": pa.nulls(N)}, "no value at all"),
        ({"spend": pa.array([1.0] * 38 + [float("-inf")] * 2)}, r"2 infinite values \(rows 39, 40\)"),
        ({"city": pa.array([f"free text {i}" for i in range(N)])}, "identifier or free text"),
        ({"city": pa.array([str(i % 9) for i in range(38)] + ["n/k", "?"])}, r"mixes numbers and text.*rows 39, 40"),
        ({"spend": pa.array([[1.0]] * N)}, "holds list"),
        ({"spend": pa.array([2**64 - 1 - i % 5 for i in range(N)], pa.uint64())}, "beyond 64 bits"),
        ({"spend": pa.array([b"x"] * N)}, "holds binary"),
        ({"spend": pa.array([i % 7 for i in range(N)], pa.duration("s"))}, "holds dates or times"),
        ({"spend": pa.array([{"a": 1}] * N)}, "holds struct"),
        ({"spend": pa.array([0] * N, pa.timestamp("s"))}, "Name it as data.time"),
        ({"spend": pa.array([0] * N, pa.date32())}, "data.exclude"),
        ({"age": None, "spend": None, "city": None}, "No feature is left"),
        ({"copy": pa.array([int(i % 5 == 0) for i in range(N)])}, "'copy' is the target 'left' under another name"),
        ({"copy": pa.array([("no", "yes")[i % 5 == 0] for i in range(N)])}, "it tells the answer"),
    ],
)
def test_bad_tables_are_refused(columns, said):
    """Each fault has its own sentence."""
    with pytest.raises(DataError, match=said):
        build_dataset(table(**columns), SPEC, None)


def test_every_column_that_cannot_be_a_feature_is_named_at_once():
    """A table with two such columns is refused once, not twice; a good column is not mentioned."""
    bad = {"spend": pa.array([0] * N, pa.date32()), "city": pa.array([f"free text {i}" for i in range(N)])}
    with pytest.raises(DataError, match=r"^2 columns cannot") as caught:
        build_dataset(table(**bad), SPEC, None)
    assert "'spend' holds dates" in str(caught.value)
    assert "'city' is different" in str(caught.value)
    assert "'age'" not in str(caught.value)


def test_a_copy_of_a_quantity_is_refused():
    """A regression target under another name, and of another number type, is a leak too."""
    price = pa.array([10 * i for i in range(N)])
    with pytest.raises(DataError, match="'amount' is the target"):
        build_dataset(table(left=price, amount=price.cast(pa.float64())), SPEC, None)


def test_the_nearest_column_is_named():
    """A typing error in the target is answered with the column that was probably meant."""
    with pytest.raises(DataError, match="Did you mean 'left'"):
        build_dataset(table(), replace(SPEC, target="lefft"), None)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"entity": "nobody"}, "data.entity"),
        ({"time": "never"}, "data.time"),
        ({"exclude": ("nothing",)}, "data.exclude"),
        ({"exclude": ("left",)}, "also excluded"),
        ({"entity": "left"}, "as the entity"),
        ({"time": "age"}, "holds int64"),
        ({"time": "city"}, "40 values of 'city'.*are not dates"),
    ],
)
def test_roles_must_make_sense(changes, said):
    """A column that a role names must exist, fit, and have one role."""
    with pytest.raises(DataError, match=said):
        build_dataset(table(), replace(SPEC, **changes), None)


def test_rows_without_time_are_refused():
    """Their place in the order is unknown."""
    at = pa.array([None] + ["2026-01-01"] * (N - 1))
    with pytest.raises(DataError, match=r"1 rows have no 'at' \(rows 1\)"):
        build_dataset(table(at=at), replace(SPEC, time="at"), None)


def test_an_empty_table_is_refused():
    """No row, no model."""
    with pytest.raises(DataError, match="empty"):
        build_dataset(table().slice(0, 0), SPEC, None)


def test_too_few_rows_are_refused():
    """Nineteen rows are not enough to hold any out."""
    with pytest.raises(InsufficientDataError) as caught:
        build_dataset(table().slice(0, 19), SPEC, None)
    assert (caught.value.needed, caught.value.found) == (20, 19)


def test_duplicate_names_are_refused():
    """Two columns of one name cannot be told apart."""
    doubled = table().append_column("age", pa.array(range(N)))
    with pytest.raises(DataError, match="More than one column is called 'age'"):
        build_dataset(doubled, SPEC, None)


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (pa.array([7] * N), "same value in every row"),
        (pa.array(range(N)), "counts the rows"),
        (pa.array([str(i % 4) for i in range(N)]), "every value is a number"),
    ],
)
def test_suspicious_columns_are_told(column, said):
    """What may be a mistake and may not is a warning."""
    assert said in build_dataset(table(extra=column), SPEC, None).warnings[0]


def test_a_declared_schema_is_the_contract():
    """Order, kind, nullability and limits come from the file; range and categories from the table."""
    declared = schema(
        replace(CITY, categories=("Paris",)),
        replace(AGE, kind=Kind.CATEGORY),
        replace(SPEND, nullable=True, limits=(0, None)),
    )
    found = build_dataset(table(), SPEC, declared)
    assert found.schema.features == (
        replace(CITY, categories=("Lille", "Lyon", "Nice")),
        Feature("age", Kind.CATEGORY, categories=tuple(str(age) for age in range(20, 27))),
        Feature("spend", Kind.NUMBER, nullable=True, range=(0.0, 15.0), limits=(0, None)),
    )
    assert list(found.frame.columns) == ["city", "age", "spend"]
    assert found.frame["age"].iloc[0] == "20"


def test_whole_codes_stay_whole_when_some_are_missing():
    """Whole numbers with gaps are floats to pandas: as categories they are still '7', not '7.0'."""
    codes = pa.array([None] + [float(i % 3) for i in range(N - 1)])
    declared = schema(replace(AGE, kind=Kind.CATEGORY, nullable=True), SPEND, CITY)
    assert build_dataset(table(age=codes), SPEC, declared).schema.features[0].categories == ("0", "1", "2")


@pytest.mark.parametrize(
    ("features", "columns", "error", "said"),
    [
        ((AGE, SPEND), {}, DataError, "'city', which the schema file does not list"),
        ((AGE, SPEND, CITY, Feature("size", Kind.NUMBER)), {}, DataError, "'size', which the table lacks"),
        ((AGE, SPEND, CITY, Feature("left", Kind.CATEGORY)), {}, DataError, "lists 'left' as a feature"),
        ((AGE, SPEND, replace(CITY, kind=Kind.NUMBER)), {}, SchemaMismatchError, "row 1, 'city': expected number"),
        ((AGE, replace(SPEND, kind=Kind.INTEGER), CITY), {}, SchemaMismatchError, "row 2, 'spend': expected integer"),
        ((replace(AGE, kind=Kind.BOOLEAN), SPEND, CITY), {}, SchemaMismatchError, "'age': expected boolean"),
        ((replace(AGE, limits=(None, 25)), SPEND, CITY), {}, DataError, r"outside its limits \[open, 25\]"),
        ((AGE, SPEND, CITY), {"age": pa.array([None] + [1, 2, 3] * 13)}, DataError, "1 of 40 rows have no 'age'"),
        ((replace(AGE, kind=Kind.CATEGORY), SPEND, CITY), {"age": pa.array([[1]] * N)}, SchemaMismatchError, "'age'"),
        ((AGE, SPEND, CITY), {"age": pa.array([0] * N, pa.date32())}, SchemaMismatchError, "found date32"),
    ],
)
def test_a_table_that_breaks_the_contract_is_refused(features, columns, error, said):
    """The file wins, and the fault names the column."""
    with pytest.raises(error, match=said):
        build_dataset(table(**columns), SPEC, schema(*features))


def test_a_table_wider_than_the_log_is_refused():
    """A model of it could be trained, and then no answer of it be remembered."""
    wide = {f"c{place}": pa.array([float(place + i % 3) for i in range(N)]) for place in range(MOST_FEATURES - 2)}
    with pytest.raises(DataError, match=r"has 1,501 features; a model that is served takes 1,500 at most"):
        build_dataset(table(**wide), SPEC, None)
    assert len(build_dataset(table(**wide, city=None), SPEC, None).schema.features) == MOST_FEATURES


def test_a_schema_of_another_target_is_refused():
    """A schema file left over from another question must not be used."""
    declared = Schema((AGE, SPEND, CITY), Target("churn", Task.BINARY, ("no", "yes")))
    with pytest.raises(DataError, match=r"predicts 'churn', and data\.target says 'left'"):
        build_dataset(table(), SPEC, declared)


@pytest.mark.parametrize(
    ("kind", "column", "first"),
    [
        (Kind.NUMBER, pa.array([" 1.5 ", "2e1"] * 20), 1.5),
        (Kind.INTEGER, pa.array([3.0, 4.0] * 20), 3.0),
        (Kind.INTEGER, pa.array(["3", "4"] * 20), 3.0),
        (Kind.BOOLEAN, pa.array([1, 0] * 20), 1.0),
        (Kind.BOOLEAN, pa.array(["True", "false"] * 20), 1.0),
        (Kind.BOOLEAN, pa.array([True, False] * 20), 1.0),
        (Kind.CATEGORY, pa.array([True, False] * 20), "True"),
    ],
)
def test_declared_kinds_convert_what_can_be_read(kind, column, first):
    """Text, floats and flags are read under the declared kind when every value allows it."""
    found = build_dataset(table(age=column), SPEC, schema(replace(AGE, kind=kind), SPEND, CITY))
    assert found.frame["age"].iloc[0] == first


def test_text_beyond_the_largest_number_is_infinite():
    """1e999 reads as infinity, and infinity is refused wherever it comes from."""
    declared = schema(replace(AGE, kind=Kind.NUMBER), SPEND, CITY)
    with pytest.raises(DataError, match="infinite"):
        build_dataset(table(age=pa.array(["1e999", "2"] * 20)), SPEC, declared)
