"""The reference profile: what the training data looked like, small enough to travel in the bundle."""

import json
from dataclasses import dataclass
from typing import Any, NoReturn, Self

import numpy as np
import pandas as pd

from vigie.domain.schema import Feature, Schema
from vigie.domain.task import Task
from vigie.errors import BundleError, BundleFormatError
from vigie.monitoring.columns import CategoryColumn, Column, NumericColumn, category_column, numeric_column

FORMAT = 1
"""Version of the JSON layout; the reader refuses others."""

PREDICTION = "prediction"
"""Name of the prediction's own column, which never sits among the features."""


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceProfile:
    """The reference, column by column.

    Attributes:
        rows: rows it was made from.
        features: one column per feature, in the schema's order.
        prediction: what the model said of those rows: numbers, P(positive), or for multiclass the class labels.
        classes: for multiclass, class labels as text in the order of the class indices; empty otherwise.
    """

    rows: int
    features: tuple[Column, ...]
    prediction: Column
    classes: tuple[str, ...] = ()

    def to_bytes(self) -> bytes:
        """Return the profile as JSON; the same profile gives the same bytes."""
        data = {
            "format": FORMAT,
            "rows": self.rows,
            "features": [column.to_dict() for column in self.features],
            "prediction": self.prediction.to_dict(),
            "classes": list(self.classes),
        }
        return json.dumps(data, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Rebuild a profile from ``to_bytes``.

        Raises:
            BundleFormatError: another version of the layout.
            BundleError: not a reference profile.
        """
        try:
            data = json.loads(content, parse_constant=_refuse)
            version = data["format"]
            if version != FORMAT:
                raise BundleFormatError(found_version=version, supported=(FORMAT,))
            profile = cls(
                rows=int(data["rows"]),
                features=tuple(_column(item) for item in data["features"]),
                prediction=_column(data["prediction"]),
                classes=tuple(str(label) for label in data["classes"]),
            )
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as exc:
            raise BundleError(f"The reference profile cannot be read ({type(exc).__name__}: {exc}).") from exc
        if any(column.counts.n != profile.rows for column in (*profile.features, profile.prediction)):
            raise BundleError("The columns of the reference profile do not have the same number of rows.")
        return profile


def build_profile(schema: Schema, frame: pd.DataFrame, predicted: np.ndarray) -> ReferenceProfile:
    """Summarise the reference rows.

    Args:
        schema: names and kinds of the features, and the task.
        frame: what ``domain.frame.model_frame`` made of the rows, shape (n, n_features). Their order must have nothing
            to do with their values: every second row serves one half of the categorical tables.
        predicted: what the model says of the same rows, float64, shape (n,): the number (regression), the positive
            class's probability (binary), the class index (multiclass). Use rows the model was not fitted on, or its
            own confidence will look like drift.

    Raises:
        ValueError: the frame and the predictions have different lengths.
    """
    if len(frame) != len(predicted):
        raise ValueError(f"{len(frame)} rows cannot have {len(predicted)} predictions")
    classes = tuple(str(label) for label in schema.target.classes) if schema.target.task is Task.MULTICLASS else ()
    columns = tuple(_summarise(feature, frame[feature.name]) for feature in schema.features)
    prediction: Column
    if classes:
        prediction = category_column(PREDICTION, class_labels(predicted, classes), tuple(dict.fromkeys(classes)))
    else:
        prediction = numeric_column(PREDICTION, np.asarray(predicted, dtype=np.float64))
    return ReferenceProfile(rows=len(frame), features=columns, prediction=prediction, classes=classes)


def class_labels(predicted: np.ndarray, classes: tuple[str, ...]) -> np.ndarray:
    """Return the label of each class index as an object array, shape (n,); NaN where there is no such class."""
    index = np.asarray(predicted, dtype=np.float64)
    valid = (index >= 0) & (index < len(classes))
    labels = np.full(len(index), np.nan, dtype=object)
    labels[valid] = np.array(classes, dtype=object)[index[valid].astype(np.intp)]
    return labels


def _summarise(feature: Feature, values: pd.Series) -> Column:
    if feature.kind.is_numeric:
        return numeric_column(feature.name, values.to_numpy(dtype=np.float64), feature.range)
    return category_column(feature.name, values.to_numpy(dtype=object), feature.categories)


def _column(data: dict[str, Any]) -> Column:
    kinds: dict[str, type[NumericColumn | CategoryColumn]] = {
        "numeric": NumericColumn,
        "category": CategoryColumn,
    }
    column: Column = kinds[data["kind"]].from_dict(data)
    return column


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number in JSON")
