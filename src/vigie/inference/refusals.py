"""Why a model could not take a row, in the words that every scorer uses; never the value itself."""

from collections.abc import Mapping, Sequence

from vigie.domain.schema import Schema, Value
from vigie.errors import DataError, listed

HUGE = 1e15
"""A failing model is blamed on numbers beyond this: trees compare in float32, and a scaler may multiply first."""


def too_large(names: Sequence[str]) -> DataError:
    """Return the error for numbers that overflow inside the model."""
    return DataError(
        f"The model cannot take a number as large as the one sent for {listed(names)}.",
        remedy="Send numbers of the size that the model was trained on.",
    )


def missing(names: Sequence[str]) -> DataError:
    """Return the error for a missing value where the model was never shown one."""
    return DataError(
        f"The model cannot take a missing value for {listed(names)}.",
        remedy="Send a value, or train with an imputer before the model.",
    )


def unseen(names: Sequence[str]) -> DataError:
    """Return the error for a category that the model has no place for."""
    return DataError(
        f"The model cannot take a category of {listed(names)} that it has not seen in training.",
        remedy='Send a known category, or train with handle_unknown="ignore".',
    )


def overflow(schema: Schema, columns: Mapping[str, Sequence[Value]]) -> DataError | None:
    """Return the error that names the features whose numbers no model could be asked with, if there are any."""
    numeric = [feature.name for feature in schema.features if feature.kind.is_numeric]
    guilty = [name for name in numeric if any(abs(value) > HUGE for value in _numbers(columns[name]))]
    return too_large(guilty) if guilty else None


def refusal(schema: Schema, columns: Mapping[str, Sequence[Value]]) -> DataError | None:
    """Return the likeliest reason why scikit-learn refused these columns, or None when they look harmless."""
    found = overflow(schema, columns)
    if found is not None:
        return found
    absent = [name for name in schema.names if any(_is_missing(value) for value in columns[name])]
    if absent:
        return missing(absent)
    strange = [
        feature.name
        for feature in schema.features
        if not feature.kind.is_numeric and not set(map(str, columns[feature.name])) <= set(feature.categories)
    ]
    return unseen(strange) if strange else None


def _is_missing(value: Value) -> bool:
    return value is None or value != value  # noqa: PLR0124 - NaN is the only value unlike itself


def _numbers(values: Sequence[Value]) -> list[float]:
    return [float(value) for value in values if isinstance(value, (int, float))]
