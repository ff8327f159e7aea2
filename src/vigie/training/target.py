"""The target column: which task it asks for, its classes in order, and its values as a model learns them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vigie.domain.schema import LARGEST_OUTCOME, Label, Target
from vigie.domain.task import Task
from vigie.errors import ConfigurationError, DataError, nearest
from vigie.training.columns import is_number, is_text, plain, positions, shown
from vigie.training.numerals import refuse_mixed

_MOST_CLASSES = 20
"""A number with more distinct values than this is a quantity, not a class."""

_OPPOSITES = frozenset({("no", "yes"), ("n", "y"), ("non", "oui"), ("false", "true"), ("faux", "vrai"), ("n", "o")})
"""Pairs of labels that say no and yes, in this order."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The target and what it was in every row.

    Attributes:
        target: name, task and classes.
        y: shape (n_rows,), float64 for regression, int64 class index otherwise.
    """

    target: Target
    y: np.ndarray


def read_target(name: str, column: pa.ChunkedArray, *, task: Task | None, positive: str | None) -> Outcomes:
    """Return the outcomes of a target column without missing values.

    Args:
        name: the column's name.
        column: its values, at least one, none null.
        task: what the user wants of it; None to infer.
        positive: text of the class whose probability a binary answer reports; None for the larger one, or the one
            that says yes.

    Raises:
        DataError: the column cannot be a target, or not of this task.
        ConfigurationError: ``positive`` is not one of the two classes.
    """
    values = plain(column)
    kind = values.type
    if not (is_text(kind) or is_number(kind) or pa.types.is_boolean(kind)):
        raise DataError(
            f"Target {name!r} holds {kind} values.", remedy="A target is a number, a boolean or a text label."
        )
    _refuse_infinite(name, values)
    distinct = pc.unique(values)
    if len(distinct) == 1:
        raise DataError(
            f"Target {name!r} has the same value in every row, so there is nothing to learn.",
            remedy="Check data.target, and that the table was not filtered by it.",
        )
    found = task or infer_task(name, values, len(distinct))
    if found is Task.REGRESSION:
        return _quantity(name, values, positive)
    return _classes(name, values, found, positive)


def infer_task(name: str, values: pa.ChunkedArray, n_distinct: int) -> Task:
    """Return the task that a target's values suggest.

    Numbers with more than 20 distinct values, or with fractions, are quantities; two distinct values are a binary
    task; the rest are classes.
    """
    if n_distinct == 2:
        return Task.BINARY
    if is_number(values.type) and (n_distinct > _MOST_CLASSES or not _are_whole(values)):
        return Task.REGRESSION
    if is_text(values.type):
        refuse_mixed(name, values)
    if n_distinct > max(_MOST_CLASSES, len(values) // 20):
        raise DataError(
            f"Target {name!r} is text with {n_distinct:,} different values in {len(values):,} rows.",
            remedy='Check data.target; to predict that many classes, say task = "multiclass" under [project].',
        )
    return Task.MULTICLASS


def _are_whole(values: pa.ChunkedArray) -> bool:
    return pa.types.is_integer(values.type) or bool(pc.all(pc.equal(values, pc.round(values))).as_py())


def _refuse_infinite(name: str, values: pa.ChunkedArray) -> None:
    if not pa.types.is_floating(values.type):
        return
    rows = positions(pc.is_inf(values))
    if len(rows):
        raise DataError(
            f"Target {name!r} holds {len(rows):,} infinite values (rows {shown(rows)}).", remedy="Remove those rows."
        )


def _quantity(name: str, values: pa.ChunkedArray, positive: str | None) -> Outcomes:
    _refuse_positive(positive, Task.REGRESSION)
    if not is_number(values.type):
        raise DataError(
            f"Target {name!r} holds {values.type} values, and regression needs numbers.",
            remedy="Convert the column, or leave task out to have it inferred.",
        )
    numbers = values.cast(pa.float64(), safe=False)
    rows = beyond_measure(numbers)
    if len(rows):
        raise unmeasurable(name, len(rows), which=f" (rows {shown(rows)})")
    return Outcomes(Target(name, Task.REGRESSION), numbers.to_numpy().copy())


def beyond_measure(numbers: pa.ChunkedArray) -> np.ndarray:
    """Return the row numbers, from 1, of outcomes whose errors could not be measured."""
    return positions(pc.greater(pc.abs(numbers), LARGEST_OUTCOME))


def unmeasurable(name: str, n: int, *, which: str = "") -> DataError:
    """Return the refusal of so many outcomes that are beyond measure."""
    return DataError(
        f"Target {name!r} holds {n:,} number{'' if n == 1 else 's'} beyond {LARGEST_OUTCOME:g} in size{which}, "
        "whose errors cannot be measured.",
        remedy="Remove those rows, or give the target in a larger unit.",
    )


def _classes(name: str, values: pa.ChunkedArray, task: Task, positive: str | None) -> Outcomes:
    if pa.types.is_floating(values.type) and _are_whole(values):
        values = values.cast(pa.int64())
    classes = sorted(pc.unique(values).to_pylist())
    if (task is Task.BINARY) != (len(classes) == 2):
        listed = ", ".join(map(str, classes[:5])) + (", …" if len(classes) > 5 else "")
        raise DataError(
            f"Target {name!r} has {len(classes):,} classes ({listed}), which does not fit task {task.value!r}.",
            remedy="Leave task out to have it inferred, or check data.target.",
        )
    if task is Task.BINARY:
        classes = _positive_last(classes, positive)
    else:
        _refuse_positive(positive, task)
    index = pc.index_in(values, value_set=pa.array(classes, values.type))
    return Outcomes(Target(name, task, tuple(classes)), index.to_numpy().astype(np.int64))


def _refuse_positive(positive: str | None, task: Task) -> None:
    if positive is not None:
        raise ConfigurationError(
            f"a positive class is given ({positive!r}), but the task is {task.value}.",
            remedy="Remove it; only a target with two classes has one.",
            key="data.positive",
        )


def _positive_last(classes: list[Any], positive: str | None) -> list[Any]:
    if positive is None:
        first, second = (str(label).casefold() for label in classes)
        chosen = classes[0] if (second, first) in _OPPOSITES else classes[-1]
    else:
        chosen = _named(classes, positive)
    return [label for label in classes if label != chosen] + [chosen]


def _named(classes: list[Label], positive: str) -> Label:
    texts = [str(label) for label in classes]
    exact = [label for label, text in zip(classes, texts, strict=True) if text == positive]
    loose = [label for label, text in zip(classes, texts, strict=True) if text.casefold() == positive.casefold()]
    for found in (exact, loose):
        if len(found) == 1:
            return found[0]
    try:
        number = float(positive)
    except ValueError:
        number = None
    if number is not None:
        for label in classes:
            if not isinstance(label, str) and float(label) == number:
                return label
    raise ConfigurationError(
        f"the target has no class {positive!r}; its classes are {' and '.join(texts)}.{nearest(positive, texts)}",
        remedy="Name one of them.",
        key="data.positive",
    )
