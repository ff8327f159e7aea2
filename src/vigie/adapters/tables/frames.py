"""Any frame of pandas, Polars or Arrow as one Arrow table."""

import warnings
from typing import Any

import narwhals as nw
import pyarrow as pa
from narwhals.exceptions import NarwhalsError

from vigie.errors import DataError


def as_table(frame: Any, what: str) -> pa.Table:
    """Return a frame as Arrow; pandas' index travels along nowhere.

    Args:
        frame: eager or lazy, of any kind that narwhals knows.
        what: how a message calls it, e.g. ``the frame``.

    Raises:
        TypeError: it is no frame.
        DataError: names are repeated, or a column mixes types.
    """
    try:
        known = nw.from_native(frame)
        eager = known.collect(backend="pyarrow") if isinstance(known, nw.LazyFrame) else known
        with warnings.catch_warnings():
            # pyarrow 25 reads times with a zone in a way that pandas 3.1 has deprecated; the result is right
            warnings.filterwarnings("ignore", message="Series.values returning an ndarray that drops timezone")
            table = eager.to_arrow()
        # by name: pandas' index travels along and is not a column
        return table.select([str(name) for name in eager.columns])
    except NarwhalsError as error:
        raise DataError(
            f"{what[0].upper()}{what[1:]} cannot be used: {' '.join(str(error).split())}.",
            remedy="Give every column a name of its own.",
        ) from error
    except pa.ArrowException as error:
        detail = "; ".join(str(part) for part in error.args[::-1]) or str(error)
        raise DataError(
            f"A column of {what} mixes types: {detail}.",
            remedy="Give that column one type before passing the frame on.",
        ) from error
