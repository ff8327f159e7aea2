"""The reference profile: what the training data looked like, small enough to travel in the bundle."""

import json
from dataclasses import dataclass, replace
from typing import Any, NoReturn, Self

import numpy as np
import pandas as pd

from vigie.domain.schema import Feature, Schema
from vigie.domain.task import Task
from vigie.errors import BundleError
from vigie.monitoring.columns import CategoryColumn, Column, NumericColumn, category_column, numeric_column
from vigie.monitoring.compat import FORMAT, lifted
from vigie.monitoring.wander import Wander, wander_of

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
        wander: how much each feature, and last the prediction, wanders by itself; None where the rows have no order of
            time.
        importance: how much each feature moves the predictions, in parts that add up to 1; None where not known.
    """

    rows: int
    features: tuple[Column, ...]
    prediction: Column
    classes: tuple[str, ...] = ()
    wander: tuple[Wander, ...] | None = None
    importance: tuple[float, ...] | None = None

    @property
    def columns(self) -> tuple[Column, ...]:
        """The features, and last the prediction."""
        return (*self.features, self.prediction)

    def to_bytes(self) -> bytes:
        """Return the profile as JSON; the same profile gives the same bytes."""
        data = {
            "format": FORMAT,
            "rows": self.rows,
            "features": [column.to_dict() for column in self.features],
            "prediction": self.prediction.to_dict(),
            "classes": list(self.classes),
            "wander": None if self.wander is None else [wander.to_dict() for wander in self.wander],
            "importance": None if self.importance is None else list(self.importance),
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
            data = lifted(json.loads(content, parse_constant=_refuse))
            profile = cls(
                rows=int(data["rows"]),
                features=tuple(_column(item) for item in data["features"]),
                prediction=_column(data["prediction"]),
                classes=tuple(str(label) for label in data["classes"]),
                wander=None if data["wander"] is None else tuple(Wander.from_dict(item) for item in data["wander"]),
                importance=None if data["importance"] is None else _shares(data["importance"]),
            )
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as exc:
            raise BundleError(f"The reference profile cannot be read ({type(exc).__name__}: {exc}).") from exc
        if any(column.counts.n != profile.rows for column in profile.columns):
            raise BundleError("The columns of the reference profile do not have the same number of rows.")
        if profile.wander is not None and len(profile.wander) != len(profile.columns):
            raise BundleError("The reference profile tells of other columns how they wander.")
        if profile.importance is not None and len(profile.importance) != len(profile.features):
            raise BundleError("The reference profile weighs other features than it has.")
        return profile


def build_profile(
    schema: Schema, frame: pd.DataFrame, predicted: np.ndarray, *, in_time_order: bool = False
) -> ReferenceProfile:
    """Summarise the reference rows.

    Args:
        schema: names and kinds of the features, and the task.
        frame: what ``domain.frame.model_frame`` made of the rows, shape (n, n_features). Which of them stand in even
            places must have nothing to do with their values: every second row serves one half of the categorical
            tables. An order of time is fine.
        predicted: what the model says of the same rows, float64, shape (n,): the number (regression), the positive
            class's probability (binary), the class index (multiclass). Use rows the model was not fitted on, or its
            own confidence will look like drift.
        in_time_order: whether the rows follow each other in time; how much the columns wander is then kept too.

    Raises:
        ValueError: the frame and the predictions have different lengths.
    """
    if len(frame) != len(predicted):
        raise ValueError(f"{len(frame)} rows cannot have {len(predicted)} predictions")
    classes = tuple(str(label) for label in schema.target.classes) if schema.target.task is Task.MULTICLASS else ()
    columns = tuple(_summarise(feature, frame[feature.name]) for feature in schema.features)
    prediction: Column
    said: np.ndarray
    if classes:
        said = class_labels(predicted, classes)
        prediction = category_column(PREDICTION, said, tuple(dict.fromkeys(classes)))
    else:
        said = np.asarray(predicted, dtype=np.float64)
        prediction = numeric_column(PREDICTION, said)
    profile = ReferenceProfile(rows=len(frame), features=columns, prediction=prediction, classes=classes)
    if not in_time_order:
        return profile
    kinds = (np.float64 if isinstance(column, NumericColumn) else object for column in columns)
    values = (frame[column.name].to_numpy(dtype=kind) for column, kind in zip(columns, kinds, strict=True))
    wandering = (wander_of(column, its) for column, its in zip(columns, values, strict=True))
    return replace(profile, wander=(*wandering, wander_of(prediction, said)))


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


def _shares(values: list[Any]) -> tuple[float, ...]:
    shares = tuple(float(value) for value in values)
    if not all(0 <= share <= 1 for share in shares):
        raise ValueError("bad importance")
    return shares


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number in JSON")
