"""What stands between the frame and an estimator, in plain scikit-learn parts that skops can write.

It is fitted inside the pipeline, on training rows only, and travels with the model: it can never be refitted,
separated or mismatched. A category that is missing is a level of its own; numbers are imputed by their median where the
estimator does not take NaN.

A category of many levels says little to a tree as a code, because the order of the codes is the alphabet's. Where it is
asked for, each level is told as the mean outcome of its rows, drawn towards the mean of all where rows are few. A row's
own outcome never counts in it: while fitting, the means come from the other four of five folds.

Source:
    Micci-Barreca (2001), A preprocessing scheme for high-cardinality categorical attributes in classification and
    prediction problems, SIGKDD Explorations 3.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler, TargetEncoder

from vigie.domain.schema import Feature, Schema
from vigie.domain.task import Task

FEWEST_OF_A_LEVEL = 20
"""Levels seen less often share one column in linear models: a coefficient needs rows."""

_UNKNOWN, _MISSING = -1, -2

_TARGET_TYPES = {Task.REGRESSION: "continuous", Task.BINARY: "binary", Task.MULTICLASS: "multiclass"}


@dataclass(frozen=True, slots=True)
class Needs:
    """What an estimator asks of its inputs.

    Attributes:
        scaled: numbers with mean 0 and deviation 1, categories one-hot (linear models); otherwise numbers as they are
            and categories as ordinal codes (trees).
        imputed: no NaN.
        named: may see column names; boosters refuse some that a table may well have.
        means: categories of more than two levels as the mean outcome of each level, instead of codes (trees).
    """

    scaled: bool
    imputed: bool
    named: bool = True
    means: bool = False


def build_pipeline(schema: Schema, needs: Needs, estimator: Any) -> Pipeline:
    """Return an unfitted pipeline from the schema's frame to the estimator, which is its step ``model``.

    A table of numbers that are never missing needs no more than a scaler (linear models) or nothing at all (trees).

    Args:
        schema: features and task.
        needs: what the estimator asks for.
        estimator: unfitted; its seed, if it has one, also deals the folds that means of levels are taken from.
    """
    numbers = [feature.name for feature in schema.features if feature.kind.is_numeric]
    categories = [feature.name for feature in schema.features if not feature.kind.is_numeric]
    impute = needs.imputed and any(feature.nullable for feature in schema.features if feature.kind.is_numeric)
    steps = _number_steps(needs, impute=impute)
    if not categories and needs.named:
        return Pipeline([*steps, ("model", estimator)])
    parts: list[tuple[str, Any, list[str]]] = []
    if numbers:
        parts.append(("numbers", Pipeline(steps) if steps else "passthrough", numbers))
    parts += _category_parts(schema, needs, estimator)
    columns = ColumnTransformer(parts, sparse_threshold=0, verbose_feature_names_out=False)
    return Pipeline([("columns", columns), ("model", estimator)])


def _number_steps(needs: Needs, *, impute: bool) -> list[tuple[str, Any]]:
    steps: list[tuple[str, Any]] = []
    if impute:
        # a fold may hold no value of a sparse column: keep it, so that the shape does not depend on the fold
        steps.append(("impute", SimpleImputer(strategy="median", keep_empty_features=True)))
    if needs.scaled:
        steps.append(("scale", StandardScaler()))
    return steps


def _category_parts(schema: Schema, needs: Needs, estimator: Any) -> list[tuple[str, Any, list[str]]]:
    categories = [feature for feature in schema.features if not feature.kind.is_numeric]
    # of two levels, the code says it all
    averaged = [feature.name for feature in categories if needs.means and _n_levels(feature) > 2]
    coded = [feature.name for feature in categories if feature.name not in averaged]
    parts = [("categories", _encoder(needs), coded), ("means", _means(schema, estimator), averaged)]
    return [part for part in parts if part[2]]


def _n_levels(feature: Feature) -> int:
    return len(feature.categories) + feature.nullable


def _encoder(needs: Needs) -> Any:
    if needs.scaled:
        return OneHotEncoder(min_frequency=FEWEST_OF_A_LEVEL, handle_unknown="infrequent_if_exist", sparse_output=False)
    return OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=_UNKNOWN, encoded_missing_value=_MISSING)


def _means(schema: Schema, estimator: Any) -> Any:
    task = schema.target.task
    kind = StratifiedKFold if task.is_classification else KFold
    folds = kind(5, shuffle=True, random_state=getattr(estimator, "random_state", None))
    return TargetEncoder(target_type=_TARGET_TYPES[task], cv=folds)


def columns_per_feature(model: Pipeline, schema: Schema) -> dict[str, int]:
    """Return how many columns each feature became before it reached a linear model, in column order."""
    return {name: len(columns) for name, columns in _columns(model, schema).items()}


def column_names(model: Pipeline, schema: Schema) -> list[str]:
    """Return the name of every column that reaches a linear model: a number's own, ``name=level`` for one-hot levels.

    Levels that share a column are ``name=(rare)``, a missing value is ``name=(missing)``.
    """
    return [column for columns in _columns(model, schema).values() for column in columns]


def _columns(model: Pipeline, schema: Schema) -> dict[str, list[str]]:
    numbers = {feature.name: [feature.name] for feature in schema.features if feature.kind.is_numeric}
    names = [feature.name for feature in schema.features if not feature.kind.is_numeric]
    if not names:
        return numbers
    encoder = model.named_steps["columns"].named_transformers_["categories"]
    if not isinstance(encoder, OneHotEncoder):
        return numbers | {name: [name] for name in names}
    found = zip(names, encoder.categories_, encoder.infrequent_categories_, strict=True)
    return numbers | {name: _level_columns(name, levels, few) for name, levels, few in found}


def _level_columns(name: str, levels: np.ndarray, rare: np.ndarray | None) -> list[str]:
    """Frequent levels in order, then one column for all rare ones, as the encoder lays them out."""
    few = set() if rare is None else {_label(level) for level in rare}
    shown = [f"{name}={_label(level)}" for level in levels if _label(level) not in few]
    return [*shown, f"{name}=(rare)"] if few else shown


def _label(level: Any) -> str:
    return "(missing)" if level != level else str(level)  # noqa: PLR0124  NaN is how model_frame writes a missing level
