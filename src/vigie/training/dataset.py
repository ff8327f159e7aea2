"""A table turned into what candidates learn from: checked features, outcomes, and the schema they obey.

Everything that would make a model silently wrong is refused here, in words about the table: the target or a copy of it
among the features, identifiers, text that is half numbers, infinities, columns without values.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from vigie.domain.frame import model_frame
from vigie.domain.schema import MOST_FEATURES, Feature, Kind, Schema
from vigie.domain.task import Task
from vigie.errors import DataError, InsufficientDataError, listed, nearest
from vigie.training.columns import conform, infer, is_text, measured, plain
from vigie.training.digest import table_digest
from vigie.training.roles import read_entities, read_times
from vigie.training.target import Outcomes, read_target

SplitMethod = Literal["auto", "random", "stratified", "time", "grouped"]

FEWEST_ROWS = 20
"""Below this there is no honest way to hold rows out and cross-validate on the others."""

_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class DataSpec:
    """What a user says of the table.

    Attributes:
        target: column to predict.
        task: None to infer it from the target.
        positive: text of the positive class; None for the larger one, or the one that says yes.
        entity: column that names the client, machine or account; never a feature.
        time: column that says when the row was true; never a feature.
        exclude: columns to leave aside.
        test_fraction: share of rows held out, in (0, 1).
        seed: of every random choice in training.
        split: how rows are held out.
    """

    target: str
    task: Task | None
    positive: str | None
    entity: str | None
    time: str | None
    exclude: tuple[str, ...]
    test_fraction: float
    seed: int
    split: SplitMethod


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows ready to learn from.

    Attributes:
        schema: features in model order, the target, the entity.
        frame: shape (n_rows, n_features), as ``domain.frame.model_frame`` builds it.
        y: shape (n_rows,), float64 for regression, int64 class index otherwise.
        times: shape (n_rows,), datetime64[us] in UTC; None without a time column.
        entities: shape (n_rows,), object of str, None for missing; None without an entity column.
        digest: hex SHA-256 of the table as it came.
        warnings: sentences about what was noticed and did not stop training.
    """

    schema: Schema
    frame: pd.DataFrame
    y: np.ndarray
    times: np.ndarray | None
    entities: np.ndarray | None
    digest: str
    warnings: tuple[str, ...]

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.y)


def build_dataset(table: pa.Table, spec: DataSpec, declared: Schema | None) -> Dataset:
    """Return the rows of a table as candidates learn from them.

    Args:
        table: as it was read; the target, entity, time and excluded columns may stand anywhere.
        spec: what the user says of it.
        declared: a schema written earlier and perhaps edited. Its features, their order, kinds, nullability and
            limits hold; ranges, categories and the target are measured anew. None to infer everything.

    Raises:
        DataError: the table cannot mean what was asked; each fault has its own sentence.
        SchemaMismatchError: values do not fit ``declared``.
        InsufficientDataError: fewer than 20 rows have an outcome.
        ConfigurationError: ``spec.positive`` is not a class.
    """
    check_table(table, spec)
    digest = table_digest(table)
    warnings: list[str] = []
    table = _with_outcome(table, spec.target, warnings)
    outcomes = read_target(spec.target, table.column(spec.target), task=spec.task, positive=spec.positive)
    features = _features(table, spec, declared)
    _check_width(features)
    columns: dict[str, pa.ChunkedArray] = {}
    for position, feature in enumerate(features):
        values = conform(feature, table.column(feature.name))
        _refuse_copy(feature, values, outcomes)
        features[position] = measured(feature, values)
        columns[feature.name] = values
        warnings.extend(_noticed(features[position], table.column(feature.name), values))
    schema = Schema(tuple(features), outcomes.target, spec.entity)
    frame = model_frame(schema, {feature.name: _loose(feature, columns[feature.name]) for feature in features})
    times = None if spec.time is None else read_times(spec.time, table.column(spec.time))
    entities = None if spec.entity is None else read_entities(table.column(spec.entity))
    return Dataset(schema, frame, outcomes.y, times, entities, digest, tuple(warnings))


def check_table(table: pa.Table, spec: DataSpec) -> None:
    """Refuse a table without rows, or one that lacks a column that the user names; no value is looked at.

    Raises:
        DataError: it cannot be learnt from, whatever its values are.
    """
    names = table.column_names
    repeated = sorted(name for name, times in Counter(names).items() if times > 1)
    if repeated:
        raise DataError(
            f"More than one column is called {listed(repeated)}.",
            remedy="Rename or remove the duplicates.",
        )
    if table.num_rows == 0 or not names:
        raise DataError("The table is empty: it has no row.", remedy="Check data.source and the query.")
    _check_columns(table, spec)


def _check_columns(table: pa.Table, spec: DataSpec) -> None:
    """Every column that the user names must exist, once and for one purpose."""
    roles = {"target": spec.target, "entity": spec.entity, "time": spec.time}
    for role, name in roles.items():
        if name is not None:
            _check_exists(table, name, f"data.{role}")
    for name in spec.exclude:
        _check_exists(table, name, "data.exclude")
    if spec.target in spec.exclude:
        raise DataError(f"The target {spec.target!r} is also excluded.", remedy="Remove it from data.exclude.")
    if spec.target in (spec.entity, spec.time):
        other = "entity" if spec.target == spec.entity else "time"
        raise DataError(
            f"Column {spec.target!r} is named as the target and as the {other}.",
            remedy="A column has one role: correct data.target.",
        )


def _check_exists(table: pa.Table, name: str, key: str) -> None:
    names = table.column_names
    if name not in names:
        listed = ", ".join(names[:10]) + (", …" if len(names) > 10 else "")
        raise DataError(
            f"There is no column {name!r}, which {key} names.{nearest(name, names)}", remedy=f"Columns: {listed}."
        )


def _with_outcome(table: pa.Table, target: str, warnings: list[str]) -> pa.Table:
    """Drop rows without an outcome: nothing can be learnt from them, and their number is told."""
    known = plain(table.column(target)).is_valid()
    n_known = pc.sum(known).as_py() or 0
    if n_known == 0:
        raise DataError(
            f"Target {target!r} is empty in all {table.num_rows:,} rows.", remedy="Check data.target and the source."
        )
    if n_known < table.num_rows:
        lost = table.num_rows - n_known
        warnings.append(f"{lost:,} of {table.num_rows:,} rows have no {target!r} and were left out.")
        table = table.filter(known)
    if n_known < FEWEST_ROWS:
        raise InsufficientDataError("Training", needed=FEWEST_ROWS, found=n_known)
    return table


def _features(table: pa.Table, spec: DataSpec, declared: Schema | None) -> list[Feature]:
    reserved = {spec.target, spec.entity, spec.time, *spec.exclude}
    names = [name for name in table.column_names if name not in reserved]
    if not names:
        raise DataError(
            f"No feature is left besides {', '.join(sorted(name for name in reserved if name))}.",
            remedy="Add columns to the source, or shorten data.exclude.",
        )
    if declared is None:
        return _inferred(table, names)
    _check_contract(names, declared, spec)
    return list(declared.features)


def _inferred(table: pa.Table, names: Sequence[str]) -> list[Feature]:
    """Return the features the columns look like; every column that cannot be one is named, not the first alone."""
    found: list[Feature] = []
    refused: list[DataError] = []
    for name in names:
        try:
            found.append(infer(name, table.column(name)))
        except DataError as error:
            refused.append(error)
    if len(refused) > 1:
        raise DataError(
            f"{len(refused)} columns cannot be features as they are.",
            remedy="".join(f"\n  - {error}" for error in refused),
        ) from refused[0]
    if refused:
        raise refused[0]
    return found


def _check_contract(names: Sequence[str], declared: Schema, spec: DataSpec) -> None:
    if declared.target.name != spec.target:
        raise DataError(
            f"The schema file predicts {declared.target.name!r}, and data.target says {spec.target!r}.",
            remedy="Correct one of them, or delete the schema file to have it written anew.",
        )
    taken = [name for name in declared.names if name in {spec.target, spec.entity, spec.time, *spec.exclude}]
    if taken:
        raise DataError(
            f"The schema file lists {taken[0]!r} as a feature, but it is the target, entity, time or excluded.",
            remedy="Remove it from the schema file, or give it no other role under [data].",
        )
    missing = [name for name in declared.names if name not in names]
    if missing:
        raise DataError(
            f"The schema file lists {listed(missing)}, which the table lacks.{nearest(missing[0], names)}",
            remedy="Correct the source, or remove the feature from the schema file.",
        )
    extra = [name for name in names if name not in declared.names]
    if extra:
        raise DataError(
            f"The table has {listed(extra)}, which the schema file does not list.",
            remedy="Add them to the schema file, or to data.exclude.",
        )


def _check_width(features: Sequence[Feature]) -> None:
    if len(features) > MOST_FEATURES:
        raise DataError(
            f"The table has {len(features):,} features; a model that is served takes {MOST_FEATURES:,} at most: the "
            "prediction log keeps each in a column.",
            remedy="Name the ones that matter in the schema file, or leave some out with data.exclude.",
        )


def _refuse_copy(feature: Feature, values: pa.ChunkedArray, outcomes: Outcomes) -> None:
    """Refuse a feature that is the target under another name.

    For a quantity: equal in every row. For classes: each level always with one class and each class always with one
    level, which chance does not do to twenty rows.
    """
    if values.null_count:
        return
    target = outcomes.target
    if target.task is Task.REGRESSION:
        is_copy = feature.kind.is_numeric and np.array_equal(_floats(values), outcomes.y)
    else:
        codes = values.combine_chunks().dictionary_encode().indices.to_numpy()
        n_classes = len(target.classes)
        # codes are dense, so a pair of level and class is one number
        is_copy = codes.max() + 1 == n_classes == len(np.unique(codes * n_classes + outcomes.y))
    if is_copy:
        raise DataError(
            f"Column {feature.name!r} is the target {target.name!r} under another name: it tells the answer.",
            remedy=f"Add {feature.name!r} to data.exclude.",
        )


def _noticed(feature: Feature, raw: pa.ChunkedArray, values: pa.ChunkedArray) -> list[str]:
    name, n_distinct = feature.name, pc.count_distinct(values, mode="only_valid").as_py()
    n_known = len(values) - values.null_count
    if n_distinct <= 1 and not values.null_count:
        return [f"{name!r} has the same value in every row: it cannot help."]
    if n_distinct == 0:
        return [f"{name!r} has no value in any row: it cannot help."]
    if feature.kind is Kind.CATEGORY and n_distinct > max(100, n_known // 2):
        return [f"{name!r} has {n_distinct:,} different levels in {n_known:,} rows: is it an identifier or free text?"]
    if feature.kind is Kind.CATEGORY and is_text(raw.type) and not _any_text(values):
        return [f"{name!r} is text of which every value is a number: it is used as a category."]
    return _noticed_of_numbers(feature, values)


def _noticed_of_numbers(feature: Feature, values: pa.ChunkedArray) -> list[str]:
    name, largest = feature.name, max(map(abs, feature.range or (0.0,)))
    if largest > _LARGEST:
        said = f"{name!r} holds numbers of up to {largest:.2g} in size: models that square numbers, or keep them in 32 "
        return [f"{said}bits, cannot be fitted on it."]
    n_known = len(values) - values.null_count
    if feature.kind is Kind.INTEGER and n_known > 1 and bool(np.all(np.diff(_floats(values)) == 1)):
        return [f"{name!r} counts the rows one by one: exclude it if it is a row number."]
    return []


def _any_text(values: pa.ChunkedArray) -> bool:
    return any(
        not level.replace(".", "", 1).lstrip("+-").isdecimal() for level in pc.unique(values).drop_null().to_pylist()
    )


def _floats(values: pa.ChunkedArray) -> np.ndarray:
    numbers: np.ndarray = pc.fill_null(values.cast(pa.float64(), safe=False), float("nan")).to_numpy()
    return numbers


def _loose(feature: Feature, values: pa.ChunkedArray) -> Sequence[str | None] | np.ndarray:
    return _floats(values) if feature.kind.is_numeric else values.to_pylist()
