"""LightGBM, XGBoost and CatBoost: extras, imported when they are asked for; seeded, quiet, on one thread.

Three hundred small steps, and no early stopping: rows to stop by would have to be taken from those that are learnt
from, and the folds already say how good three hundred are.
"""

import importlib
import sys
from typing import Any

from vigie.domain.task import Task
from vigie.errors import ConfigurationError

ROUNDS = 300
RATE = 0.05

_ERRORS = {"lightgbm.basic": "LightGBMError", "_catboost": "CatBoostError"}


def lightgbm(task: Task, seed: int) -> Any:
    """Return an unfitted model of LightGBM.

    Raises:
        ConfigurationError: LightGBM is not installed; so with the others.
    """
    kind = _kind("lightgbm", "LGBMClassifier" if task.is_classification else "LGBMRegressor")
    return kind(
        n_estimators=ROUNDS,
        learning_rate=RATE,
        num_leaves=31,
        random_state=seed,
        n_jobs=1,
        deterministic=True,
        force_col_wise=True,
        verbosity=-1,
    )


def xgboost(task: Task, seed: int) -> Any:
    """Return an unfitted model of XGBoost."""
    kind = _kind("xgboost", "XGBClassifier" if task.is_classification else "XGBRegressor")
    return kind(
        n_estimators=ROUNDS,
        learning_rate=RATE,
        max_depth=6,
        tree_method="hist",
        random_state=seed,
        n_jobs=1,
        verbosity=0,
    )


def catboost(task: Task, seed: int) -> Any:
    """Return an unfitted model of CatBoost; its rate of learning follows from the number of rows."""
    kind = _kind("catboost", "CatBoostClassifier" if task.is_classification else "CatBoostRegressor")
    return kind(
        iterations=ROUNDS,
        depth=6,
        random_seed=seed,
        thread_count=1,
        verbose=False,
        allow_writing_files=False,
    )


def booster_errors() -> tuple[type[Exception], ...]:
    """Return the errors of the imported ones that are no ValueError, as XGBoost's is."""
    modules = {name: sys.modules.get(name) for name in _ERRORS}
    return tuple(getattr(module, _ERRORS[name]) for name, module in modules.items() if module is not None)


def _kind(package: str, name: str) -> Any:
    try:
        return getattr(importlib.import_module(package), name)
    except ImportError as error:
        raise ConfigurationError(
            f"candidate {package!r} needs the package {package}, which cannot be imported here ({error}).",
            remedy=f"Install it with: pip install 'vigie[{package}]'",
            key="training.candidates",
        ) from error
