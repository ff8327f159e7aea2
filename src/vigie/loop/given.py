"""A model fitted elsewhere and the table it was fitted on: what it takes, and what it says of every row by itself."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.base import is_classifier, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from vigie.bundle.adapted import class_order
from vigie.domain.prediction import Prediction
from vigie.domain.schema import Schema, Target
from vigie.domain.task import Task
from vigie.errors import BundleError, DataError, first_line, listed, nearest
from vigie.inference.sklearn_scorer import SklearnScorer
from vigie.training.columns import infer, plain
from vigie.training.dataset import Dataset, DataSpec, build_dataset

TOLERANCE = 1e-9
"""How far an answer may lie from the given model's own, relative to the largest one; a last bit is far below."""


_COLUMNS = (
    "In a bundle, numbers and booleans reach the model as float64 and categories as text: fit it on such columns, with "
    "an encoder inside the pipeline."
)


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody brings.

    Attributes:
        estimator: fitted, any scikit-learn estimator that answers the question of the project.
        table: the rows that it was fitted on, target included.
        test: rows that it was not fitted on; None when there are none.
    """

    estimator: Any
    table: pa.Table
    test: pa.Table | None = None


def unwrapped(estimator: Any) -> Any:
    """Return the estimator that answers: a search hands every question to its best one.

    Raises:
        DataError: it is no estimator, or not fitted.
    """
    if not hasattr(estimator, "predict") or not hasattr(estimator, "__sklearn_tags__"):
        raise DataError(
            f"The model is a {type(estimator).__name__}, which is no scikit-learn estimator with predict.",
            remedy="Give a fitted estimator or Pipeline.",
        )
    try:
        check_is_fitted(estimator)
    except NotFittedError as exc:
        raise DataError(
            f"The model ({type(last_step(estimator)).__name__}) is not fitted.",
            remedy="Fit it first; Vigie never does.",
        ) from exc
    return estimator.best_estimator_ if isinstance(estimator, BaseSearchCV) else estimator


def last_step(estimator: Any) -> Any:
    """Return what predicts: the last step of a pipeline, or the estimator itself."""
    while isinstance(estimator, Pipeline):
        estimator = estimator.steps[-1][1]
    return estimator


def task_of(estimator: Any, asked: Task | None) -> Task:
    """Return the task that a fitted estimator answers.

    Raises:
        DataError: none, or another than the project asks.
    """
    name = type(last_step(estimator)).__name__
    if is_classifier(estimator):
        task = Task.BINARY if len(estimator.classes_) == 2 else Task.MULTICLASS
    elif is_regressor(estimator):
        task = Task.REGRESSION
    else:
        raise DataError(
            f"{name} predicts neither a number nor a class.", remedy="Register a regressor or a classifier."
        )
    if asked is not None and asked is not task:
        raise DataError(
            f"{name} answers a {task.value} task, and the project's task is {asked.value}.",
            remedy="Correct project.task in vigie.toml, or register another model.",
        )
    return task


def read_given(given: Given, spec: DataSpec, declared: Schema | None) -> Dataset:
    """Return the table's rows under the schema of the model: its columns in its order, and no others.

    Args:
        given: ``estimator`` unwrapped.
        spec: what the project says of the table; columns that the model does not take are left aside.
        declared: the project's own schema; its kinds, limits and nullability hold for the columns that it lists.

    Raises:
        DataError: the table lacks a column, or the model takes the target or the entity for a feature.
    """
    names = feature_names(given.estimator, given.table.column_names, spec, declared)
    task = task_of(given.estimator, spec.task)
    known = {feature.name: feature for feature in declared.features} if declared else {}
    table = given.table.select([*names, spec.target])
    features = tuple(known.get(name) or infer(name, table.column(name)) for name in names)
    asked = replace(spec, entity=None, time=None, exclude=(), task=task)
    dataset = build_dataset(table, asked, Schema(features, Target(spec.target, task)))
    return replace(dataset, schema=replace(dataset.schema, entity=spec.entity))


def feature_names(estimator: Any, there: list[str], spec: DataSpec, declared: Schema | None) -> list[str]:
    """Return the columns that the model takes, in its order.

    One that was fitted on an array names none: it takes the columns of the project's schema, or else all that have no
    other role, in the order of the table.

    Raises:
        DataError: their names or their number do not fit the table.
    """
    if spec.target not in there:
        raise DataError(
            f"The table has no column {spec.target!r}, which data.target names.{nearest(spec.target, there)}",
            remedy="Give the table that the model was fitted on, with what it learnt to predict.",
        )
    roles = {spec.target: "target", spec.entity: "entity", spec.time: "time"}
    fitted = getattr(estimator, "feature_names_in_", None)
    if fitted is None:
        return _unnamed(estimator, [name for name in there if name not in {*roles, *spec.exclude}], declared)
    names = [str(name) for name in fitted]
    missing = [name for name in names if name not in there]
    if missing:
        raise DataError(
            f"The model takes {listed(missing)}, which the table lacks.{nearest(missing[0], there)}",
            remedy="Give the table that it was fitted on.",
        )
    taken = [name for name in names if name in roles]
    if taken:
        raise DataError(
            f"The model takes {taken[0]!r} for a feature, and the project names it as the {roles[taken[0]]}.",
            remedy="Correct [data] in vigie.toml, or register a model that was fitted without it.",
        )
    return names


def _unnamed(estimator: Any, left: list[str], declared: Schema | None) -> list[str]:
    n_fitted = getattr(estimator, "n_features_in_", len(left))
    if declared and len(declared.names) == n_fitted and set(declared.names) <= set(left):
        return list(declared.names)
    if n_fitted != len(left):
        raise DataError(
            f"The model was fitted on {n_fitted} columns without names, and the table leaves {len(left)}: "
            f"{', '.join(left[:8])}{', …' if len(left) > 8 else ''}.",
            remedy="Add those that it does not take to data.exclude, or fit it on a frame, which has names.",
        )
    return left


def own_answers(given: Given, schema: Schema) -> list[Prediction]:
    """Return what the given model says of its table's rows that have an outcome, asked in its own way.

    The frame is what ``pyarrow.Table.to_pandas`` makes of the table: the types that it was most likely fitted on.

    Raises:
        DataError: it does not take these rows.
    """
    rows = given.table.filter(plain(given.table.column(schema.target.name)).is_valid())
    frame = rows.select(list(schema.names)).to_pandas()
    cells = frame if getattr(given.estimator, "feature_names_in_", None) is not None else frame.to_numpy()
    try:
        return _asked(given.estimator, cells, schema)
    except (ValueError, TypeError, KeyError) as exc:
        raise DataError(
            f"The model does not take the rows of the table: {_sentence(exc)}",
            remedy="Give the table that it was fitted on, with the same columns and types.",
        ) from exc


def _asked(estimator: Any, cells: pd.DataFrame | np.ndarray, schema: Schema) -> list[Prediction]:
    said = np.asarray(estimator.predict(cells)).tolist()
    if not schema.target.task.is_classification:
        return [Prediction(float(np.ravel(value)[0])) for value in said]
    order = class_order(estimator, schema.target)
    proba = np.asarray(estimator.predict_proba(cells), dtype=np.float64)[:, order].tolist()
    return [Prediction(label, tuple(row)) for label, row in zip(said, proba, strict=True)]


def frame_answers(model: Pipeline, dataset: Dataset) -> list[Prediction]:
    """Return what a model says of its rows when it is asked as every model of a bundle is.

    Raises:
        BundleError: it does not take a frame of float64 and text.
    """
    columns = {name: dataset.frame[name].tolist() for name in dataset.schema.names}
    try:
        return SklearnScorer(model, dataset.schema).score(columns)
    except (ValueError, TypeError) as exc:
        raise BundleError(f"The model does not take a bundle's frame: {_sentence(exc)}", remedy=_COLUMNS) from exc


def check_same(expected: list[Prediction], found: list[Prediction]) -> None:
    """Do nothing when a bundle answers every row as the given model does.

    Raises:
        BundleError: it does not; how many rows, and by how much.
    """
    largest = max((abs(float(p.value)) for p in expected if not p.probabilities), default=1.0)
    distance = [_distance(one, other) for one, other in zip(expected, found, strict=True)]
    n_far = sum(not far <= TOLERANCE * largest for far in distance)  # NaN is far from everything
    if n_far:
        raise BundleError(
            f"A bundle would answer {n_far:,} of {len(expected):,} rows otherwise than the model that was given, by up "
            f"to {max(distance):.3g}.",
            remedy=_COLUMNS,
        )
    n_other = sum(_other_class(one, other) for one, other in zip(expected, found, strict=True))
    if n_other:
        raise BundleError(
            f"In {n_other:,} of {len(expected):,} rows the model predicts another class than the most probable one, "
            "which is what a bundle answers.",
            remedy="Register the estimator without its decision threshold, and act on the probability.",
        )


def _distance(expected: Prediction, found: Prediction) -> float:
    if expected.probabilities:
        return max(abs(a - b) for a, b in zip(expected.probabilities, found.probabilities, strict=True))
    return abs(float(expected.value) - float(found.value))


def _other_class(expected: Prediction, found: Prediction) -> bool:
    if not expected.probabilities or expected.value == found.value:
        return False
    first, second = sorted(expected.probabilities, reverse=True)[:2]
    return first - second > 2 * TOLERANCE


def _sentence(error: Exception) -> str:
    return f"{first_line(error, nothing=type(error).__name__).rstrip('.')}."
