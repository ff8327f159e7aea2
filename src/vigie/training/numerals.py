"""Text that reads as numbers: found, converted, and refused when only most of a column does."""

import pyarrow as pa
import pyarrow.compute as pc

from vigie.errors import DataError
from vigie.reporting.wording import percent

_NUMERAL = r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$"
_MOSTLY = 0.8
"""From this share of numerals on, the other values of a text column are taken for faults, not for levels."""


def as_numbers(text: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return text as float64, null where it is not a number."""
    readable = pc.if_else(pc.match_substring_regex(text, _NUMERAL), text, pa.scalar(None, text.type))
    return pc.utf8_trim_whitespace(readable).cast(pa.float64())


def numeral_share(text: pa.ChunkedArray) -> float:
    """Return which share of the non-null values reads as numbers; 0 when there is none."""
    n = len(text) - text.null_count
    return (n - (as_numbers(text).null_count - text.null_count)) / n if n else 0.0


def refuse_mixed(name: str, text: pa.ChunkedArray) -> None:
    """Do nothing for honest text.

    Raises:
        DataError: at least four values in five read as numbers, but not all; where the others are is told.
    """
    share = numeral_share(text)
    if not _MOSTLY <= share < 1:
        return
    bad = pc.and_(text.is_valid(), as_numbers(text).is_null()).to_pylist()
    rows = [row for row, is_bad in enumerate(bad, start=1) if is_bad]
    where = ", ".join(map(str, rows[:3])) + (", …" if len(rows) > 3 else "")
    raise DataError(
        f"Column {name!r} mixes numbers and text: {percent(share, 1)} of its values are numbers, {len(rows):,} are not "
        f"(rows {where}).",
        remedy="Mend those values (empty means missing), or declare its kind as category in the schema file.",
    )
