"""Preprocessing as expressions: imputers, scalers, encoders, and the containers that arrange them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

from vigie.bundle.compiler.encoders import encode
from vigie.bundle.compiler.expression import Block, Column, UnsupportedError

Columns = Sequence[Column]


def transform(step: Any, block: Block) -> Block:
    """Return the columns behind a fitted transformer.

    Raises:
        UnsupportedError: it is of another class, or has options that are not known to be reproduced.
    """
    if isinstance(step, str) and step == "passthrough":
        return block
    rule = _RULES.get(type(step))
    if rule is None:
        raise UnsupportedError(f"{type(step).__name__} is not compiled")
    if block.sparse and type(step) is not Pipeline:
        # sparse scalers multiply by the reciprocal: other bits
        raise UnsupportedError(f"{type(step).__name__} works on a sparse matrix")
    return rule(step, block)


def _pipeline(step: Any, block: Block) -> Block:
    for _, part in step.steps:
        block = transform(part, block)
    return block


def _column_transformer(step: Any, block: Block) -> Block:
    found: list[Column] = []
    for name, part, _ in step.transformers_:
        indices = step._transformer_to_input_indices[name]  # noqa: SLF001 - columns by name, number, mask or callable
        if (isinstance(part, str) and part == "drop") or len(indices) == 0:
            continue
        made = transform(part, Block(tuple(block.columns[index] for index in indices))).columns
        expected = step.output_indices_[name]
        if (len(found), len(found) + len(made)) != (expected.start, expected.stop):
            raise UnsupportedError(f"the part {name!r} of its ColumnTransformer makes other columns than expected")
        found += made
    return Block(tuple(found), bool(step.sparse_output_))


def _function(step: Any, block: Block) -> Block:
    if step.func is not None or step.validate:
        raise UnsupportedError("a FunctionTransformer is not compiled")
    return block


def _simple_imputer(step: Any, block: Block) -> Block:
    missing = step.missing_values
    if not (isinstance(missing, float) and np.isnan(missing)):
        raise UnsupportedError("its SimpleImputer takes something else than NaN for missing")
    inputs = [column.checked() for column in block.columns]
    filled = [_fill(column, value) for column, value in zip(inputs, step.statistics_, strict=True)]
    indicated = step.indicator_.features_ if step.add_indicator else ()
    return Block((*filled, *(Column(["isna", inputs[index].expression]) for index in indicated)))


def _fill(column: Column, value: Any) -> Column:
    if column.text:
        if not isinstance(value, str):
            raise UnsupportedError("its SimpleImputer has no text to fill a column of text with")
        return Column(["fill", column.expression, value], text=True)
    number = float(value)
    if not np.isfinite(number):
        raise UnsupportedError("its SimpleImputer saw a column without any value")
    return Column(["fill", column.expression, number])


def _standard_scaler(step: Any, block: Block) -> Block:
    return _scaled(
        block,
        ("sub", step.mean_ if step.with_mean else None),
        ("div", step.scale_ if step.with_std else None),
    )


def _robust_scaler(step: Any, block: Block) -> Block:
    return _scaled(
        block,
        ("sub", step.center_ if step.with_centering else None),
        ("div", step.scale_ if step.with_scaling else None),
    )


def _max_abs_scaler(step: Any, block: Block) -> Block:
    return _clipped(_scaled(block, ("div", step.scale_)), (-1.0, 1.0) if step.clip else None)


def _min_max_scaler(step: Any, block: Block) -> Block:
    scaled = _scaled(block, ("mul", step.scale_), ("add", step.min_))
    return _clipped(scaled, step.feature_range if step.clip else None)


def _scaled(block: Block, *operations: tuple[str, Any]) -> Block:
    """Apply operations one after the other: two roundings stay two roundings."""
    found = []
    for place, column in enumerate(block.columns):
        if column.text:
            raise UnsupportedError("a scaler works on text")
        expression = column.checked().expression
        for name, constants in operations:
            if constants is not None:
                expression = [name, expression, _finite(constants[place])]
        found.append(Column(expression, loose=True))
    return Block(tuple(found))


def _clipped(block: Block, bounds: tuple[float, float] | None) -> Block:
    if bounds is None:
        return block
    low, high = map(float, bounds)
    return Block(tuple(Column(["clip", column.expression, low, high]) for column in block.columns))


def _finite(value: Any) -> float:
    number = float(value)
    if not np.isfinite(number):
        raise UnsupportedError("a scaler saw no value of a column")
    return number


_RULES: dict[type, Callable[[Any, Block], Block]] = {
    Pipeline: _pipeline,
    ColumnTransformer: _column_transformer,
    FunctionTransformer: _function,
    SimpleImputer: _simple_imputer,
    StandardScaler: _standard_scaler,
    RobustScaler: _robust_scaler,
    MaxAbsScaler: _max_abs_scaler,
    MinMaxScaler: _min_max_scaler,
    OneHotEncoder: lambda step, block: encode(step, block.columns),
    OrdinalEncoder: lambda step, block: encode(step, block.columns),
    TargetEncoder: lambda step, block: encode(step, block.columns),
}
"""Exact classes: a subclass may do anything."""
