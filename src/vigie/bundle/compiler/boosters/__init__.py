"""Models of LightGBM, XGBoost and CatBoost as arrays, told apart by name so that none of the three is imported.

Each is asked in its own way and by public means only; the parity gate has the last word.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from vigie.bundle.compiler.boosters import catboost, lightgbm, xgboost
from vigie.bundle.compiler.expression import Block, UnsupportedError

_EXPORTS: dict[tuple[str, str], Callable[[Any, Block], dict[str, Any]]] = {
    ("lightgbm", "LGBMClassifier"): lightgbm.export,
    ("lightgbm", "LGBMRegressor"): lightgbm.export,
    ("xgboost", "XGBClassifier"): xgboost.export,
    ("xgboost", "XGBRegressor"): xgboost.export,
    ("catboost", "CatBoostClassifier"): catboost.export,
    ("catboost", "CatBoostRegressor"): catboost.export,
}

_RAW: dict[str, dict[str, Any]] = {
    "lightgbm": {"raw_score": True},
    "xgboost": {"output_margin": True},
    "catboost": {"prediction_type": "RawFormulaVal"},
}
"""How ``predict`` is asked for the scores before the link."""


def exporter(model: Any) -> Callable[[Any, Block], dict[str, Any]] | None:
    """Return what exports a fitted estimator, None for one of another package."""
    export = _EXPORTS.get((_package(model), type(model).__name__))
    return None if export is None else partial(_export, export)


def _export(export: Callable[[Any, Block], dict[str, Any]], model: Any, block: Block) -> dict[str, Any]:
    if block.sparse:
        raise UnsupportedError("it is fed a sparse matrix, whose zeros may count as missing")
    return export(model, block)


def raw_scores(model: Any, cells: Any) -> np.ndarray | None:
    """Return the scores before the link, None for an estimator of another package. Shape (n_rows,) or (n_rows, K)."""
    options = _RAW.get(_package(model))
    return None if options is None else np.asarray(model.predict(cells, **options), dtype=np.float64)


def _package(model: Any) -> str:
    return type(model).__module__.partition(".")[0]
