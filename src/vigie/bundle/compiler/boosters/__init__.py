"""Models of LightGBM, XGBoost and CatBoost as arrays, told apart by name so that none of the three is imported.

Each is asked in its own way and by public means only; the parity gate has the last word.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from vigie.bundle.compiler.boosters import catboost, lightgbm, xgboost
from vigie.bundle.compiler.expression import Block

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
    return _EXPORTS.get((_package(model), type(model).__name__))


def raw_scores(model: Any, cells: Any) -> np.ndarray | None:
    """Return the scores before the link, None for an estimator of another package. Shape (n_rows,) or (n_rows, K)."""
    options = _RAW.get(_package(model))
    return None if options is None else np.asarray(model.predict(cells, **options), dtype=np.float64)


def _package(model: Any) -> str:
    return type(model).__module__.partition(".")[0]
