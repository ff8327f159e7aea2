"""Every kind of source becomes an Arrow table, and every broken one a sentence that helps."""

import sqlite3
import textwrap

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vigie.adapters.tables import read_table
from vigie.errors import ConfigurationError, DataError, InsufficientDataError

ROWS = pa.table({"a": [1, 2], "b": ["x", None]})


def read(base, source, query=None):
    """Return a table read from a project folder."""
    return read_table(source, query=query, base=base)


def write(base, name, content):
    """Write a file of the project, text or bytes."""
    path = base / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else textwrap.dedent(content).encode())
    return path


@pytest.mark.parametrize(
    "content",
    ["a,b\n1,x\n2,\n", "a;b\n1;x\n2;\n", "a\tb\n1\tx\n2\tNA\n", "\ufeffa,b\r\n1,x\r\n2,\r\n", 'a,b\n1,"x"\n2,""\n'],
)
def test_csv(tmp_path, content):
    """Commas, semicolons, tabs, a byte-order mark, quotes; nothing between separators means missing."""
    write(tmp_path, "t.csv", content)
    assert read(tmp_path, "t.csv").equals(ROWS)


def test_a_late_word_makes_the_whole_csv_column_text(tmp_path):
    """Types rest on all values, not on those of the first megabyte."""
    write(tmp_path, "t.csv", "a,b\n" + "1,2\n" * 400_000 + "1,many\n")
    assert str(read(tmp_path, "t.csv").schema.field("b").type) == "string"


def test_line_breaks_in_quotes(tmp_path):
    """A quoted value may hold a line break."""
    write(tmp_path, "t.csv", 'a,b\n1,"x\ny"\n')
    assert read(tmp_path, "t.csv").to_pylist() == [{"a": 1, "b": "x\ny"}]


def test_parquet(tmp_path):
    """A file is read as it is, without pandas' metadata."""
    pq.write_table(pa.Table.from_pandas(ROWS.to_pandas()), tmp_path / "t.parquet")
    found = read(tmp_path, str(tmp_path / "t.parquet"))
    assert found.to_pylist() == ROWS.to_pylist()
    assert found.schema.metadata is None


def test_a_folder_of_parquet(tmp_path):
    """Files in order of their names, columns in the first one's order, key=value folders as columns."""
    for year, table in (("2024", ROWS), ("2025", ROWS.select(["b", "a"]).set_column(0, "b", pa.nulls(2)))):
        (tmp_path / "data" / f"year={year}").mkdir(parents=True)
        pq.write_table(table, tmp_path / "data" / f"year={year}" / "part.parquet")
    found = read(tmp_path, "data").to_pylist()
    assert [tuple(row.values()) for row in found] == [
        (1, "x", 2024), (2, None, 2024), (1, None, 2025), (2, None, 2025),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.csv", b"\x89PNG\r\n\x1a\n....", "PNG image"),
        ("t.csv", b"PK\x03\x04....", r"Excel \(\.xlsx\)"),
        ("t.csv", b'[{"a": 1}]', "it is JSON"),
        ("t.csv", b"<html></html>", "HTML or XML"),
        ("t.csv", b"PAR1....", "a Parquet file"),
        ("t.csv", b"a,b\n\x00\x01\n", "a binary file"),
        ("t.csv", "a,b\n1,é\n".encode("latin-1"), r"not UTF-8 \(line 2\)"),
        ("t.csv", "é,b\n1,2\n".encode("latin-1"), r"not UTF-8 \(line 1\)"),
        ("t.csv", "a,b\n1,2\n".encode("utf-16"), "UTF-16"),
        (
            "t.csv",
            b"a,b\n1,2\n1,2,3\n",
            r"Row 3 of .*t\.csv \(the header is row 1\) does not fit: expected 2 columns, got 3",
        ),
        ("t.csv", b"a,a\n1,2\n", "more than one column called 'a'"),
        ("t.csv", b",a\n0,2\n", "Column 1 of t.csv has no name"),
        ("t.csv", b"", r"empty \(0 bytes\)"),
        ("t.csv", b"\n", "cannot be read as CSV"),
        ("t.csv", b"a,b\n", r"column names \(a, b\) but no row"),
        ("t.parquet", b"a,b\n1,2\n", "not a Parquet file: it looks like text, perhaps CSV"),
        ("t.parquet", b"PK\x03\x04", "it looks like a ZIP archive"),
        ("t.parquet", b"PAR1 torn", "damaged or unfinished Parquet"),
        ("t.xlsx", b"PK\x03\x04", "not a table Vigie reads: it is a ZIP archive"),
        ("t.dat", b"a b", "not a table Vigie reads. Save it"),
    ],
)
def test_wrong_files(tmp_path, name, content, said):
    """What was found instead of a table is named."""
    write(tmp_path, name, content)
    with pytest.raises(DataError, match=said):
        read(tmp_path, name)


def test_a_parquet_file_with_a_name_twice(tmp_path):
    """The name is told; the file is not called damaged."""
    pq.write_table(pa.table([[1], [2]], names=["a", "a"]), tmp_path / "t.parquet")
    with pytest.raises(DataError, match="more than one column called 'a'"):
        read(tmp_path, "t.parquet")


def test_a_missing_file_names_its_neighbour(tmp_path):
    """The nearest existing name is offered."""
    write(tmp_path, "data/customers.csv", "a\n1\n")
    with pytest.raises(DataError, match=r"no file .*custmers\.csv.*Did you mean 'customers\.csv'"):
        read(tmp_path, "data/custmers.csv")


@pytest.mark.parametrize(("source", "said"), [("other.csv", "holds: a.txt"), ("no/where.csv", "does not exist either")])
def test_a_missing_file_without_neighbours(tmp_path, source, said):
    """What is there is listed."""
    write(tmp_path, "a.txt", "a\n1\n")
    with pytest.raises(DataError, match=said):
        read(tmp_path, source)


def test_a_folder_without_parquet(tmp_path):
    """What it holds is listed."""
    write(tmp_path, "data/a.csv", "a\n1\n")
    with pytest.raises(DataError, match=r"no Parquet file; it holds: a\.csv"):
        read(tmp_path, "data")


@pytest.mark.parametrize(
    ("other", "said"),
    [(pa.table({"a": [1]}), "differ in: b"), (pa.table({"a": ["x"], "b": ["y"]}), "disagree about a column's type")],
)
def test_parquet_files_that_do_not_match(tmp_path, other, said):
    """Parts of one table must agree."""
    pq.write_table(ROWS, tmp_path / "1.parquet")
    pq.write_table(other, tmp_path / "2.parquet")
    with pytest.raises(DataError, match=said):
        read(tmp_path, ".")


@pytest.fixture
def shop(tmp_path):
    """A project with an SQLite database."""
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.executescript("CREATE TABLE t (a INTEGER, b TEXT); INSERT INTO t VALUES (1, 'x'), (2, NULL)")
    connection.close()
    return tmp_path


def test_a_database(shop):
    """A relative SQLite path starts at the project; percent signs and colons reach the database as they are."""
    query = "SELECT a, b FROM t WHERE 'x:y' LIKE '%:y' ORDER BY a"
    assert read(shop, "sqlite:///shop.db", query).equals(ROWS)


@pytest.mark.parametrize(
    ("source", "query", "error", "said"),
    [
        ("sqlite:///shop.db", None, ConfigurationError, "needs a query"),
        ("sqlite:///shop.db", "SELECT absent FROM t", DataError, "refused the query: no such column: absent"),
        ("sqlite:///shop.db", "SELEC", DataError, "syntax error"),
        ("sqlite:///shop.db", "UPDATE t SET a = 1", DataError, "not a SELECT"),
        ("sqlite:///shop.db", "SELECT a FROM t WHERE a > 5", DataError, "no row"),
        ("sqlite:///shop.db", "SELECT a, b AS a FROM t", DataError, "more than one column called 'a'"),
        ("sqlite:///shop.db", "SELECT 1 AS a UNION ALL SELECT 'x'", DataError, "mixes types.*int, str"),
        ("sqlite:///shpo.db", "SELECT 1", DataError, r"Did you mean 'shop\.db'"),
        ("oracel://host/x", "SELECT 1", ConfigurationError, "knows no dialect"),
        ("mysql+cymysql://host/x", "SELECT 1", ConfigurationError, "not installed"),
        ("://", "SELECT 1", ConfigurationError, "cannot be understood"),
        ("sqlite:///file:gone.db?mode=ro&uri=true", "SELECT 1", DataError, "cannot be reached: unable to open"),
        ("t.csv", "SELECT 1", ConfigurationError, "not a database URL"),
        (" ", None, ConfigurationError, "source is empty"),
    ],
)
def test_wrong_databases(shop, source, query, error, said):
    """Configuration and data are told apart, in the database's own words."""
    with pytest.raises(error, match=said):
        read(shop, source, query)


def test_reading_changes_nothing(shop):
    """A statement that writes is rolled back."""
    with pytest.raises(DataError):
        read(shop, "sqlite:///shop.db", "DELETE FROM t")
    assert read(shop, "sqlite:///shop.db", "SELECT * FROM t").num_rows == 2


def test_a_password_is_never_told(shop):
    """Errors show where, not the secret."""
    with pytest.raises(ConfigurationError) as caught:
        read(shop, "oracel://me:s3cret@host/x", "SELECT 1")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        "import pandas as pd\ndef load(): return pd.DataFrame({'a': [1, 2], 'b': ['x', None]}, index=['p', 'q'])",
        "import pyarrow as pa\ndef load(): return pa.table({'a': [1, 2], 'b': ['x', None]})",
        "import narwhals as nw\nimport helper\ndef load(): return nw.from_native(helper.rows()).lazy()",
        "def load():\n    from helper import rows\n    return rows()",
    ],
)
def test_a_function(tmp_path, body):
    """Any frame will do, pandas' index is left behind, and neighbours can be imported."""
    write(tmp_path, "data.py", body)
    write(
        tmp_path, "helper.py", "import pandas as pd\ndef rows(): return pd.DataFrame({'a': [1, 2], 'b': ['x', None]})"
    )
    assert read(tmp_path, "data:load").to_pylist() == ROWS.to_pylist()


def test_two_projects_may_name_their_module_alike(tmp_path):
    """The module of the project that asks is used, not one that was imported before."""
    for name in ("one", "two"):
        write(tmp_path, f"{name}/data.py", f"import pandas as pd\ndef load(): return pd.DataFrame({{'{name}': [1]}})")
    assert read(tmp_path / "one", "data:load").column_names == ["one"]
    assert read(tmp_path / "two", "data:load").column_names == ["two"]


def test_times_with_a_zone(tmp_path):
    """Pandas times keep their zone."""
    write(
        tmp_path,
        "data.py",
        "import pandas as pd\ndef load(): return pd.DataFrame({'at': [pd.Timestamp('2026-01-01', tz='UTC')]})",
    )
    assert read(tmp_path, "data:load").to_pylist() == [{"at": pd.Timestamp("2026-01-01", tz="UTC")}]


@pytest.mark.parametrize(
    ("body", "source", "said"),
    [
        ("", "dta:load", "no module 'dta' in .*Did you mean 'data'"),
        ("", "data.rows:load", "no module 'data.rows'"),
        ("import nowhere_to_be_found", "data:load", "Importing data failed: there is no module 'nowhere_to_be_found'"),
        ("def load(:", "data:load", "failed with SyntaxError"),
        ("1 / 0", "data:load", r"failed with ZeroDivisionError: division by zero at data\.py, line 1"),
        ("def loads(): ...", "data:load", "data:load does not exist.*Did you mean 'loads'"),
        ("load = 3", "data:load", "data:load is not a function"),
        ("def load(): raise KeyError('k')", "data:load", r"data:load raised KeyError: 'k' at data\.py, line 1"),
        ("def load(path): ...", "data:load", "raised TypeError.*missing 1 required"),
        ("def load(): ...", "data:load", r"returned nothing \(None\), not a frame"),
        ("def load(): return [1]", "data:load", "returned a list, not a frame"),
        ("import pandas as pd\ndef load(): return pd.Series([1])", "data:load", "returned a Series"),
        (
            "import pandas as pd\ndef load(): return pd.DataFrame([[1, 2]], columns=['a', 'a'])",
            "data:load",
            "'a' 2 times",
        ),
        ("import pandas as pd\ndef load(): return pd.DataFrame({'a': [1, 'x']})", "data:load", "mixes types.*column a"),
        ("import pandas as pd\ndef load(): return pd.DataFrame({'a': []})", "data:load", "but no row"),
        ("import pandas as pd\ndef load(): return pd.DataFrame()", "data:load", "no column"),
        ("import pyarrow as pa\ndef load(): return pa.table([[1], [2]], names=['a', 'a'])", "data:load", "'a'"),
    ],
)
def test_wrong_functions(tmp_path, body, source, said):
    """The user's code is told as such, with the line that failed."""
    write(tmp_path, "data.py", body)
    with pytest.raises(DataError, match=said):
        read(tmp_path, source)


def test_errors_of_vigie_pass_through(tmp_path):
    """A function that raises one of ours has said it best."""
    raises = "raise InsufficientDataError('x', needed=2, found=1)"
    write(tmp_path, "data.py", f"from vigie.errors import InsufficientDataError\ndef load(): {raises}")
    with pytest.raises(InsufficientDataError):
        read(tmp_path, "data:load")
