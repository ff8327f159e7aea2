"""Where training data comes from: a file, a folder, a database or a function, always as one Arrow table.

Whatever goes wrong on the way is told in the user's words: what was asked for, what was found, what to do.
"""

import re
from pathlib import Path

import pyarrow as pa

from vigie.adapters.tables.database import read_database
from vigie.adapters.tables.files import read_path, refuse_repeated
from vigie.adapters.tables.function import call_function
from vigie.errors import ConfigurationError, DataError

__all__ = ["read_table"]

_FUNCTION = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


def read_table(source: str, *, query: str | None, base: Path) -> pa.Table:
    """Return the rows a source names.

    Args:
        source: a CSV file, a Parquet file, a folder of Parquet files, a database URL as SQLAlchemy writes it, or
            ``package.module:function``, a function without arguments that returns a pandas, polars or Arrow frame.
        query: the SQL of a database source; None for the others.
        base: the folder that relative paths start from and modules are looked for first.

    Returns:
        A table with at least one row and one column, and unique, non-empty column names.

    Raises:
        ConfigurationError: the source cannot be understood, or a query is missing or has no use.
        DataError: there is nothing usable where the source points.
    """
    if "://" in source:
        if not query or not query.strip():
            raise ConfigurationError(
                "a database source needs a query.",
                remedy='Add one, e.g. query = "SELECT * FROM customers".',
                key="data.query",
            )
        return _checked(read_database(source, query, base), "the query's result")
    if query:
        raise ConfigurationError(
            f"a query is given, but the source {source!r} is not a database URL.",
            remedy="Remove data.query, or give a URL such as postgresql://host/database.",
            key="data.query",
        )
    if _FUNCTION.fullmatch(source) and not (base / source).exists():
        return _checked(call_function(source, base), f"the frame that {source} returned")
    if not source.strip():
        raise ConfigurationError(
            "the source is empty.", remedy='Name one, e.g. source = "data/customers.csv".', key="data.source"
        )
    return _checked(read_path(base / source), source)


def _checked(table: pa.Table, what: str) -> pa.Table:
    """Refuse tables whose columns cannot be told apart, and empty ones; drop pandas' private metadata."""
    names = table.column_names
    if not names:
        raise DataError(f"There is no column in {what}.", remedy="Check that it is the table you meant.")
    refuse_repeated(names, what)
    if "" in names:
        raise DataError(
            f"Column {names.index('') + 1} of {what} has no name; pandas writes its index like that.",
            remedy="Give it a name, or save the table without its index (index=False).",
        )
    if table.num_rows == 0:
        raise DataError(
            f"There are column names ({', '.join(names[:5])}{', …' if len(names) > 5 else ''}) but no row in {what}.",
            remedy="Check that it is the table you meant, and that whatever writes it had finished.",
        )
    return table.replace_schema_metadata(None)
