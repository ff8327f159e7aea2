"""A table's digest follows its content and nothing else."""

import numpy as np
import pyarrow as pa
import pytest

from vigie.training.digest import table_digest

TABLE = pa.table(
    {
        "n": pa.array([1, None, 3]),
        "t": pa.array(["a", None, "bc"]),
        "b": pa.array([True, False, None]),
        "d": pa.array([0, 1, None], pa.timestamp("us")),
        "l": pa.array([[1], None, []]),
        "z": pa.nulls(3),
    }
)


def with_column(name, values):
    """Return the table with one column replaced."""
    return TABLE.set_column(TABLE.column_names.index(name), name, values)


def test_a_digest_is_the_same_in_every_run():
    """Written down once: another process, machine or version must find it again."""
    small = pa.table({"n": pa.array([1, 2], pa.int64()), "t": pa.array(["a", "é"])})
    assert table_digest(small) == "58d85e88d3fd4caf04cd3def1faacef8a7ab2af81433b6c5c48dc215ad285b0c"


@pytest.mark.parametrize(
    "same",
    [
        pa.concat_tables([TABLE.slice(0, 1), TABLE.slice(1)]),
        pa.concat_tables([TABLE, TABLE]).slice(3, 3),
        with_column("t", TABLE.column("t").dictionary_encode()),
        with_column("t", TABLE.column("t").cast(pa.large_string())),
        with_column(
            "n", pa.Array.from_buffers(pa.int64(), 3, [pa.py_buffer(b"\x05"), pa.py_buffer(np.array([1, 9, 3]))])
        ),
        TABLE.replace_schema_metadata({"pandas": "{}"}),
    ],
)
def test_layout_does_not_count(same):
    """Chunks, slices, dictionaries, offset width, metadata and what lies under a null are not content."""
    assert table_digest(same) == table_digest(TABLE)


@pytest.mark.parametrize(
    "other",
    [
        with_column("n", pa.array([1, 0, 3])),
        with_column("n", pa.array([1.0, None, 3.0])),
        with_column("t", pa.array(["a", "", "bc"])),
        with_column("t", pa.array(["ab", None, "c"])),
        with_column("b", pa.array([True, True, None])),
        with_column("d", pa.array([0, 2, None], pa.timestamp("us"))),
        with_column("l", pa.array([[1], [], []])),
        TABLE.rename_columns(["m", "t", "b", "d", "l", "z"]),
        TABLE.select(["t", "n", "b", "d", "l", "z"]),
        TABLE.take(pa.array([1, 0, 2])),
        TABLE.slice(0, 2),
    ],
)
def test_content_counts(other):
    """Values, nulls, types, names, and the order of rows and columns are content."""
    assert table_digest(other) != table_digest(TABLE)


def test_an_empty_table_has_a_digest():
    """Columns without rows are content as well."""
    assert table_digest(TABLE.slice(0, 0)) != table_digest(TABLE.slice(0, 0).select(["n"]))
