"""Feature columns: which kind each one is, how its values are read under that kind, and what is measured of it."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vigie.domain.schema import Feature, Kind
from vigie.errors import DataError, SchemaMismatchError, Violation
from vigie.training.numerals import as_numbers, refuse_mixed

_SHOWN = 3


def plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column without dictionary coding, with NaN as null and decimals as float64."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_decimal(column.type) or pa.types.is_float16(column.type):
        column = column.cast(pa.float64())
    if pa.types.is_floating(column.type):
        return pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    return column


def is_text(kind: pa.DataType) -> bool:
    """Whether an Arrow type holds text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def is_number(kind: pa.DataType) -> bool:
    """Whether an Arrow type holds whole or floating numbers."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def infer(name: str, column: pa.ChunkedArray) -> Feature:
    """Return the feature that a column looks like, nothing measured yet.

    Args:
        name: the column's name.
        column: as the table holds it; numbers that are dictionary-coded are codes, hence categories.

    Raises:
        DataError: it cannot be a feature as it is: nested, a date, all null, or text that is partly numbers.
    """
    values = plain(column)
    kind = values.type
    if pa.types.is_null(kind) or values.null_count == len(values):
        raise DataError(f"Column {name!r} has no value at all.", remedy=f"Fill it, or add {name!r} to data.exclude.")
    nullable = values.null_count > 0
    if pa.types.is_dictionary(column.type):
        return Feature(name, Kind.CATEGORY, nullable)
    if pa.types.is_boolean(kind):
        return Feature(name, Kind.BOOLEAN, nullable)
    if pa.types.is_integer(kind):
        return Feature(name, Kind.INTEGER, nullable)
    if pa.types.is_floating(kind):
        return Feature(name, Kind.NUMBER, nullable)
    if is_text(kind):
        refuse_mixed(name, values)
        _refuse_identifier(name, values)
        return Feature(name, Kind.CATEGORY, nullable)
    if pa.types.is_temporal(kind):
        raise DataError(
            f"Column {name!r} holds dates or times ({kind}), which no model takes as they are.",
            remedy=f"Name it as data.time, add {name!r} to data.exclude, or turn it into numbers (hour, age in days).",
        )
    raise DataError(
        f"Column {name!r} holds {kind} values, which are not a number, a boolean or a category.",
        remedy=f"Flatten it into plain columns, or add {name!r} to data.exclude.",
    )


def _refuse_identifier(name: str, values: pa.ChunkedArray) -> None:
    n = len(values) - values.null_count
    if n > 1 and pc.count_distinct(values, mode="only_valid").as_py() == n:
        raise DataError(
            f"Every one of the {n:,} values of text column {name!r} is different: it is an identifier or free text.",
            remedy=f"Name it as data.entity, or add {name!r} to data.exclude.",
        )


def conform(feature: Feature, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column's values under the kind a feature declares.

    Returns:
        int64, float64, bool or string values, null for missing.

    Raises:
        SchemaMismatchError: values cannot be read under the kind; the first ones are listed by row.
        DataError: values are missing, infinite or outside the limits where the feature does not allow it.
    """
    values = plain(column)
    read = _READERS[feature.kind](feature, values)
    if read.null_count and not feature.nullable:
        raise DataError(
            f"{read.null_count:,} of {len(read):,} rows have no {feature.name!r}, which the schema never allows.",
            remedy="Fill them, or set nullable = true for it in the schema file.",
        )
    if pa.types.is_floating(read.type):
        _refuse_infinite(feature.name, read)
    _refuse_outside(feature, read)
    return read


def _refuse_infinite(name: str, values: pa.ChunkedArray) -> None:
    rows = positions(pc.is_inf(values))
    if len(rows):
        raise DataError(
            f"Column {name!r} holds {len(rows):,} infinite values (rows {shown(rows)}).",
            remedy="Replace them by a number or by nothing (missing).",
        )


def _refuse_outside(feature: Feature, values: pa.ChunkedArray) -> None:
    if feature.limits is None or not feature.kind.is_numeric:
        return
    low, high = feature.limits
    numbers = values.cast(pa.float64())
    outside = pa.chunked_array([pa.repeat(pa.scalar(value=False), len(values))])
    if low is not None:
        outside = pc.or_kleene(outside, pc.less(numbers, float(low)))
    if high is not None:
        outside = pc.or_kleene(outside, pc.greater(numbers, float(high)))
    rows = positions(outside)
    if len(rows):
        raise DataError(
            f"{len(rows):,} values of {feature.name!r} lie outside its limits [{_open(low)}, {_open(high)}] "
            f"(rows {shown(rows)}).",
            remedy="Remove those rows, or widen its limits in the schema file.",
        )


def _open(limit: float | None) -> str:
    return "open" if limit is None else f"{limit:g}"


def positions(mask: pa.ChunkedArray | pa.Array) -> np.ndarray:
    """Return the row numbers, from 1, where a mask holds."""
    return np.flatnonzero(pc.fill_null(mask, fill_value=False).to_numpy()) + 1


def shown(rows: np.ndarray) -> str:
    """Return the first row numbers as text."""
    return ", ".join(str(row) for row in rows[:_SHOWN]) + (", …" if len(rows) > _SHOWN else "")


def _mismatch(feature: Feature, values: pa.ChunkedArray, rows: np.ndarray) -> SchemaMismatchError:
    found = "text" if is_text(values.type) else str(values.type)
    return SchemaMismatchError(
        [Violation(int(row), feature.name, "type", feature.kind.value, found) for row in rows],
        remedy=f"Mend the values, or change the kind of {feature.name!r} in the schema file.",
    )


def _numbers(feature: Feature, values: pa.ChunkedArray) -> pa.ChunkedArray:
    if is_text(values.type):
        numbers = as_numbers(values)
        bad = positions(pc.and_(values.is_valid(), numbers.is_null()))
        if len(bad):
            raise _mismatch(feature, values, bad)
        return numbers
    if is_number(values.type) or pa.types.is_boolean(values.type) or pa.types.is_null(values.type):
        return values.cast(pa.float64(), safe=False)
    raise _mismatch(feature, values, np.array([1]))


def _integers(feature: Feature, values: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_integer(values.type):
        return _as_int64(feature, values)
    numbers = _numbers(feature, values)
    bad = positions(pc.not_equal(numbers, pc.round(numbers)))
    if len(bad):
        raise _mismatch(feature, values, bad)
    _refuse_infinite(feature.name, numbers)
    return _as_int64(feature, numbers)


def _as_int64(feature: Feature, values: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        return values.cast(pa.int64())
    except pa.ArrowInvalid as error:
        raise DataError(
            f"Column {feature.name!r} holds whole numbers beyond 64 bits, as identifiers and hashes often are.",
            remedy=f"Add {feature.name!r} to data.exclude, or give the column as decimals.",
        ) from error


def _booleans(feature: Feature, values: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_boolean(values.type):
        return values
    if is_text(values.type):
        text = pc.utf8_lower(values)
        known = pc.is_in(text, value_set=pa.array(["true", "false"], text.type))
        read = pc.equal(text, "true")
    else:
        numbers = _numbers(feature, values)
        known, read = pc.or_(pc.equal(numbers, 0.0), pc.equal(numbers, 1.0)), pc.equal(numbers, 1.0)
    bad = positions(pc.and_(values.is_valid(), pc.invert(pc.fill_null(known, fill_value=False))))
    if len(bad):
        raise _mismatch(feature, values, bad)
    return read


def _categories(feature: Feature, values: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = values.type
    if is_text(kind):
        return values.cast(pa.string())
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        raise _mismatch(feature, values, np.array([1]))
    if pa.types.is_floating(kind) and not len(positions(pc.not_equal(values, pc.round(values)))):
        values = values.cast(pa.int64())  # pandas turns whole codes into floats as soon as one is missing
    # str() of the Python value is how a request's code is read as well (domain.frame)
    return pa.chunked_array(
        [pa.array([None if value is None else str(value) for value in values.to_pylist()], pa.string())]
    )


_READERS = {Kind.INTEGER: _integers, Kind.NUMBER: _numbers, Kind.BOOLEAN: _booleans, Kind.CATEGORY: _categories}


def measured(feature: Feature, values: pa.ChunkedArray) -> Feature:
    """Return the feature with the range or the categories found in conformed values."""
    if feature.kind is Kind.CATEGORY:
        levels = sorted(level for level in pc.unique(values).to_pylist() if level is not None)
        return replace(feature, range=None, categories=tuple(levels))
    if feature.kind is Kind.BOOLEAN:
        return replace(feature, range=None, categories=())
    ends = pc.min_max(values).as_py()
    found = None if ends["min"] is None else (float(ends["min"]), float(ends["max"]))
    return replace(feature, range=found, categories=())
