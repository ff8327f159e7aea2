"""Rows of a database query, through any SQLAlchemy dialect."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from vigie.errors import ConfigurationError, DataError, nearest


def read_database(address: str, query: str, base: Path) -> pa.Table:
    """Return the rows of a query.

    Args:
        address: a database URL; the path of an SQLite file is relative to ``base``.
        query: one SQL statement that returns rows. It runs in a transaction that is rolled back.
        base: the project's folder.

    Raises:
        ConfigurationError: the URL is wrong or its driver is not installed.
        DataError: the database cannot be reached or refuses the query.
    """
    url = _url(address, base)
    shown = url.render_as_string(hide_password=True)
    try:
        engine = sa.create_engine(url, poolclass=sa.NullPool)
    except NoSuchModuleError as error:
        raise ConfigurationError(
            f"SQLAlchemy knows no dialect for {shown}.",
            remedy="Check the part before '://' and install the dialect's package.",
            key="data.source",
        ) from error
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"the driver {error.name!r} that {shown} needs is not installed.",
            remedy=f"Install it (pip install {error.name}), or name another driver in the URL.",
            key="data.source",
        ) from error
    try:
        with engine.connect() as connection:
            return _table(connection, query, shown)
    except SQLAlchemyError as error:
        raise DataError(
            f"The database {shown} cannot be reached: {_reason(error)}",
            remedy="Check that it runs, its address, and the user's rights.",
        ) from error
    finally:
        engine.dispose()


def _url(address: str, base: Path) -> sa.URL:
    try:
        url = sa.make_url(address)
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError(
            "the database URL cannot be understood.",
            remedy="Write it as dialect://user:password@host/database; percent-encode special characters.",
            key="data.source",
        ) from error
    if url.get_backend_name() != "sqlite" or not url.database or url.database.startswith((":memory:", "file:")):
        return url
    path = base / url.database
    if not path.is_file():
        # SQLite would create an empty database here and then say that the table is missing
        close = nearest(path.name, [entry.name for entry in path.parent.iterdir()]) if path.parent.is_dir() else ""
        raise DataError(
            f"There is no SQLite database {path}.{close}", remedy="Check the path after sqlite:/// in data.source."
        )
    return url.set(database=str(path))


def _table(connection: sa.Connection, query: str, shown: str) -> pa.Table:
    try:
        # The driver gets the text as it is: a colon or a percent sign is no placeholder of ours.
        result = connection.execution_options(no_parameters=True).exec_driver_sql(query)
    except SQLAlchemyError as error:
        raise DataError(
            f"The database {shown} refused the query: {_reason(error)}", remedy="Mend data.query."
        ) from error
    if not result.returns_rows:
        raise DataError("The query returns no rows: it is not a SELECT.", remedy="Write a SELECT in data.query.")
    names, rows = list(result.keys()), result.fetchall()
    columns = list(zip(*rows, strict=True)) if rows else [() for _ in names]
    return pa.Table.from_arrays(
        [_column(name, values) for name, values in zip(names, columns, strict=True)], names=names
    )


def _column(name: str, values: Sequence[Any]) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        kinds = sorted({type(value).__name__ for value in values if value is not None})
        raise DataError(
            f"Column {name!r} of the query's result mixes types that do not go together: {', '.join(kinds)}.",
            remedy="Cast it to one type in data.query.",
        ) from error


def _reason(error: SQLAlchemyError) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else error
    lines = str(cause).strip().splitlines()
    return f"{lines[0]}." if lines else f"{type(cause).__name__}."
