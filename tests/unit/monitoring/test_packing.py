"""Counts as bytes, and their sums."""

from dataclasses import fields

import numpy as np
import pyarrow as pa
import pytest

from vigie.domain.frame import model_frame
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.monitoring.counts import count_window
from vigie.monitoring.packing import Packing, merge, pack
from vigie.monitoring.profile import build_profile

SCHEMA = Schema(
    features=(
        Feature("age", Kind.NUMBER),
        Feature("n", Kind.INTEGER),
        Feature("is_new", Kind.BOOLEAN),
        Feature("city", Kind.CATEGORY),
    ),
    target=Target("t", Task.MULTICLASS, ("lo", "hi")),
)
ROWS = {
    "age": [1.0, 2.5, None, -4.0, float("inf"), 1e300],
    "n": [1, None, 2**60, 3, 3, 3],
    "is_new": [True, None, False, True, True, None],
    "city": ["a", "b", "a", None, "c", ""],
}
SAID = np.array([0.0, 1.0, 1.0, 0.0, np.nan, 1.0])
FRAME = model_frame(SCHEMA, ROWS)
PROFILE = build_profile(SCHEMA, FRAME.iloc[:4], SAID[:4])


def same(mine, its):
    """Whether two window counts agree in every field; sums up to rounding."""
    pairs = zip((*mine.features, mine.prediction), (*its.features, its.prediction), strict=True)
    return mine.n == its.n and all(
        np.allclose(getattr(a, name), getattr(b, name), rtol=1e-12, atol=0, equal_nan=True)
        for a, b in pairs
        for name in (field.name for field in fields(a))
    )


@pytest.mark.parametrize("n", [0, 1, 4, 6])
def test_counts_come_back(n):
    """What is packed is unpacked to the bit, overflown squares too."""
    counts = count_window(PROFILE, FRAME.iloc[:n], SAID[:n])
    again = Packing(PROFILE).unpack(pack(counts))
    assert same(again, counts)
    assert pack(again) == pack(counts)


def test_hours_add_up_as_bytes():
    """Merging parts gives what counting all rows gives, whatever the parts, an empty one among them."""
    parts = [count_window(PROFILE, FRAME.iloc[a:b], SAID[a:b]) for a, b in ((0, 2), (2, 2), (2, 5), (5, 6))]
    merged = Packing(PROFILE).unpack(merge(map(pack, parts)))
    assert same(merged, count_window(PROFILE, FRAME, SAID))
    assert same(merged, sum(parts[1:], parts[0]))


@pytest.mark.parametrize(("times", "width"), [(1, 1), (100, 2), (70_000, 4)])
def test_bytes_grow_with_the_counts_only(times, width):
    """Whole numbers take the bytes that the largest of them needs."""
    counts = count_window(PROFILE, FRAME, SAID)
    content = pack(counts)
    doubled = content
    for bit in f"{times:b}"[1:]:
        doubled = merge([doubled, doubled] + [content] * int(bit))
    assert doubled[1] == width
    assert Packing(PROFILE).unpack(doubled).n == 6 * times


def test_a_table_of_arrow_counts_like_a_frame():
    """Columns as the log gives them, dictionaries, chunks and nulls too, count as the model's frame does."""
    plain = pa.table(ROWS)
    coded = plain.set_column(3, "city", plain["city"].dictionary_encode())
    chunked = pa.concat_tables([plain.slice(0, 2), plain.slice(2, 1), plain.slice(3)])
    wanted = pack(count_window(PROFILE, FRAME, SAID))
    assert [pack(count_window(PROFILE, table, SAID)) for table in (plain, coded, chunked)] == [wanted] * 3
    empty = pack(count_window(PROFILE, FRAME.iloc[:0], SAID[:0]))
    assert pack(count_window(PROFILE, plain.slice(0, 0), SAID[:0])) == empty


def test_nothing_is_the_counts_of_no_row():
    """A window without a row has counts too."""
    assert same(Packing(PROFILE).nothing, count_window(PROFILE, FRAME.iloc[:0], SAID[:0]))


def test_what_is_not_packed_counts_is_refused():
    """Other bytes, another profile's counts and no counts at all are a mistake that is told."""
    counts = count_window(PROFILE, FRAME, SAID)
    other_schema = Schema(SCHEMA.features[:1], SCHEMA.target)
    other = build_profile(other_schema, FRAME[["age"]], SAID)
    with pytest.raises(ValueError, match="another profile"):
        Packing(other).unpack(pack(counts))
    with pytest.raises(ValueError, match="different profiles"):
        merge([pack(counts), pack(count_window(other, FRAME[["age"]], SAID))])
    with pytest.raises(ValueError, match="too short"):
        merge([b"x"])
    with pytest.raises(ValueError, match="format 9"):
        merge([b"\x09" + pack(counts)[1:]])
    with pytest.raises(ValueError, match="no packed counts"):
        merge([])
