"""Columns that are not features but say who and when: the entity and the time of a row."""

import numpy as np
import pandas as pd
import pyarrow as pa

from vigie.errors import DataError
from vigie.training.columns import is_text, plain, positions, shown


def read_times(name: str, values: pa.ChunkedArray) -> np.ndarray:
    """Return moments as datetime64[us] in UTC; dates count from midnight, times without a zone as UTC.

    Raises:
        DataError: the column holds no dates, or not one in every row.
    """
    column = plain(values)
    kind = column.type
    known = pa.types.is_timestamp(kind) or pa.types.is_date(kind)
    if not known and not is_text(kind):
        raise DataError(
            f"Column {name!r}, named as data.time, holds {kind} values.",
            remedy="Give it dates or times (ISO 8601 in a text file).",
        )
    try:
        moments = column.cast(pa.timestamp("us"), safe=False)
    except pa.ArrowInvalid:
        moments = pa.chunked_array([_parsed(column, name)])
    if moments.null_count:
        rows = positions(moments.is_null())
        raise DataError(
            f"{len(rows):,} rows have no {name!r} (rows {shown(rows)}), so their place in time is unknown.",
            remedy="Fill it, remove those rows, or leave data.time out.",
        )
    times: np.ndarray = moments.to_numpy().astype("datetime64[us]")
    return times


def _parsed(column: pa.ChunkedArray, name: str) -> pa.Array:
    """Read ISO 8601 text with zones, which Arrow's own cast to a naive time refuses."""
    read = pd.to_datetime(pd.Series(column.to_pylist(), dtype=object), utc=True, errors="coerce", format="ISO8601")
    bad = np.flatnonzero(read.isna().to_numpy() & column.is_valid().to_numpy()) + 1
    if len(bad):
        raise DataError(
            f"{len(bad):,} values of {name!r}, named as data.time, are not dates (rows {shown(bad)}).",
            remedy="Write them as ISO 8601, e.g. 2026-03-31T12:00:00Z.",
        )
    return pa.array(read.dt.tz_localize(None), pa.timestamp("us"))


def read_entities(column: pa.ChunkedArray) -> np.ndarray:
    """Return entities as an object array of str, None for missing."""
    values = plain(column).to_pylist()
    entities = np.empty(len(values), dtype=object)
    entities[:] = [None if value is None else str(value) for value in values]
    return entities


def entity_codes(entities: np.ndarray) -> np.ndarray:
    """Return one number for each different entity, shape (n,); rows without an entity are each their own.

    Args:
        entities: shape (n,), object of str, None for missing.
    """
    codes, names = pd.factorize(entities)
    missing = np.flatnonzero(codes < 0)
    codes[missing] = len(names) + np.arange(len(missing))
    return codes.astype(np.int64)


def repeats(entities: np.ndarray | None) -> bool:
    """Whether any entity has more than one row."""
    return entities is not None and len(np.unique(entity_codes(entities))) < len(entities)
