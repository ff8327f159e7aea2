"""Which tables, which engines on each, and how rows are held out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.metrics import log_loss, roc_auc_score, root_mean_squared_error
from sklearn.model_selection import train_test_split

from benchmarks.environments import Environment
from benchmarks.tables import REAL_TABLES, Task, real_table, wide_churn, write_records

TEST_SHARE = 0.2
METRICS: dict[Task, str] = {"binary": "roc_auc", "regression": "rmse", "multiclass": "log_loss"}
"""Vigie's default metric for each task, given to every engine that optimises one."""

SYNTHETIC = "synthetic churn"
N_SYNTHETIC, N_QUICK = 50_000, 3_000


@dataclass(frozen=True, slots=True)
class Engine:
    """A peer.

    Attributes:
        name: in the report.
        module: its file in ``benchmarks.training.engines``.
        environment: its name under ``envs``; None for Vigie's own.
        rounds: of boosting, where it is told how many.
        is_budgeted: whether it searches for as long as it is allowed to.
    """

    name: str
    module: str
    environment: str | None
    rounds: int | None = None
    is_budgeted: bool = False


VIGIE = Engine("vigie", "vigie", None)
SCIKIT_LEARN = Engine("scikit-learn boosting", "sklearn", None)
BOOSTERS = (
    Engine("lightgbm, 300 rounds", "lightgbm", "boosters", rounds=300),
    Engine("xgboost, 300 rounds", "xgboost", "boosters", rounds=300),
    Engine("catboost, 300 rounds", "catboost", "boosters", rounds=300),
)
AT_EQUAL_COST = (
    Engine("lightgbm", "lightgbm", "boosters", rounds=100),
    Engine("flaml", "flaml", "flaml", is_budgeted=True),
    Engine("autogluon, medium", "autogluon", "autogluon", is_budgeted=True),
)


@dataclass(frozen=True, slots=True)
class Case:
    """A table and who is measured on it; Vigie always is, and first.

    Attributes:
        splits: in one round. Of a small table one tells little: on a thousand held-out rows the distance between two
            models varies by as much as the goal allows.
    """

    name: str
    task: Task
    target: str
    peers: tuple[Engine, ...]
    splits: int = 1

    @property
    def engines(self) -> tuple[Engine, ...]:
        """Vigie and its peers."""
        return (VIGIE, *self.peers)


CASES = (
    Case(SYNTHETIC, "binary", "churn", BOOSTERS),
    Case("telephone churn", "binary", REAL_TABLES["telephone churn"].target, BOOSTERS, splits=4),
    Case("flights", "binary", REAL_TABLES["flights"].target, BOOSTERS + AT_EQUAL_COST),
    Case("ames", "regression", REAL_TABLES["ames"].target, AT_EQUAL_COST),
    Case("diamonds", "multiclass", REAL_TABLES["diamonds"].target, AT_EQUAL_COST),
)
"""The full run: three tables for the gates, three with a search at equal cost."""

QUICK_CASES = (Case(SYNTHETIC, "binary", "churn", (SCIKIT_LEARN,)),)
"""The short run: what Vigie's own environment holds."""


@dataclass(frozen=True, slots=True)
class Holdout:
    """One table of one round, split, and written where engines find it.

    Attributes:
        case: what it is of.
        seed: of the split and of every engine.
        folder: holds ``all.parquet`` (for Vigie, which holds out by itself), ``train.parquet``, and ``records.json``
            with the held-out rows without their target: no peer ever sees an answer.
        truth: the held-out answers, shape (n_test,).
        test_rows: their positions in the table, in the order of ``truth``.
    """

    case: Case
    seed: int
    folder: Path
    truth: np.ndarray
    test_rows: Sequence[int]

    @property
    def classes(self) -> list[str]:
        """Sorted labels; none for a number."""
        return [] if self.case.task == "regression" else sorted(set(self.truth.tolist()))


def hold_out(case: Case, seed: int, folder: Path, tables: Environment | None) -> Holdout:
    """Split a table as ``vigie train`` does with this seed, and write the parts.

    Args:
        case: which table.
        seed: of the split; also draws the rows of the synthetic table.
        folder: where to write.
        tables: holds the real tables; None for the short run.
    """
    table = _table(case, seed, tables)
    y = table[case.target].to_numpy()
    stratify = None if case.task == "regression" else y
    train, test = train_test_split(np.arange(len(y)), test_size=TEST_SHARE, random_state=seed, stratify=stratify)
    folder.mkdir(parents=True)
    pq.write_table(table, folder / "all.parquet")
    pq.write_table(table.take(train), folder / "train.parquet")
    write_records(table.drop_columns(case.target).take(test), folder / "records.json")
    return Holdout(case, seed, folder, y[test], test.tolist())


def _table(case: Case, seed: int, tables: Environment | None) -> pa.Table:
    if case.name != SYNTHETIC:
        if tables is None:
            raise ValueError(f"{case.name} needs the environment of the real tables")
        return real_table(case.name, tables)
    return wide_churn(N_QUICK if tables is None else N_SYNTHETIC, seed=seed)


def quality(holdout: Holdout, predictions: Iterable[Any]) -> float:
    """Return the case's metric of an engine's answers on the held-out rows.

    Args:
        holdout: what was asked.
        predictions: per row a number, or the probabilities of ``holdout.classes``.

    Raises:
        ValueError: they are not one finite answer per row, or not probabilities.
    """
    found, n, k = np.asarray(list(predictions), dtype=np.float64), len(holdout.truth), len(holdout.classes)
    expected = (n, k) if k else (n,)
    if found.shape != expected or not np.isfinite(found).all():
        raise ValueError(f"answers of shape {found.shape} where {expected} finite ones were due")
    if k and (found.min() < 0 or abs(found.sum(axis=1) - 1).max() > 1e-4):
        raise ValueError("answers that are no probabilities: they do not add up to 1")
    if holdout.case.task == "regression":
        return float(root_mean_squared_error(holdout.truth, found))
    if holdout.case.task == "binary":
        return float(roc_auc_score(holdout.truth == holdout.classes[1], found[:, 1]))
    return float(log_loss(holdout.truth, found / found.sum(axis=1, keepdims=True), labels=holdout.classes))
