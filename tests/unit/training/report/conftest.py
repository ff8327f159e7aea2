"""Small finished trainings of each task, told once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from sklearn.datasets import load_diabetes, load_wine
from sklearn.linear_model import Ridge

from vigie.evaluation.value import DecisionValue
from vigie.testing.tables import churn_table
from vigie.training.dataset import DataSpec, build_dataset
from vigie.training.preprocessing import Needs, build_pipeline
from vigie.training.report import Effort, Provenance, Report, ReportInputs, build, page
from vigie.training.search import TrainingSpec, train_candidates
from vigie.training.split import split

EFFORT = Effort(rows=400, folds=2, steps=3, shuffles=2, judged_rows=200)
VALUE = DecisionValue(80.0, -10.0, -60.0, 0.0, "EUR")
TOLD = Provenance(
    datetime(2026, 11, 22, tzinfo=UTC), "data:load", "abc123", {"scikit-learn": "1.9.1"}, {"test fraction": "0.2"}
)


def trained(table: pa.Table, target: str, names: tuple[str, ...], metric: str, **more: object) -> ReportInputs:
    """Train on a table and return what a report needs."""
    entity, value = more.get("entity"), more.get("value")
    spec = DataSpec(target, None, None, entity, None, (), 0.25, 42, more.get("split", "auto"))
    dataset = build_dataset(table, spec, None)
    parts = split(dataset, spec)
    board = train_candidates(
        dataset, parts, TrainingSpec(names, metric, 4, 42, None), progress=lambda *_: None, seconds=lambda: 0.0
    )
    return ReportInputs("model", dataset, parts, board, 4, 42, value, None, TOLD, EFFORT)


@pytest.fixture(scope="session")
def regression() -> ReportInputs:
    """Diabetes with the notebook's three linear models, LASSO taken as the winner."""
    frame = load_diabetes(as_frame=True).frame.rename(columns={"target": "progression"})
    inputs = trained(pa.Table.from_pandas(frame), "progression", ("ols", "lasso"), "rmse", split="random")
    ols, lasso = (next(e for e in inputs.leaderboard.entries if e.name == name) for name in ("ols", "lasso"))
    # the candidate called ridge tunes for seconds; its penalty is all that a path needs
    model = build_pipeline(inputs.dataset.schema, Needs(scaled=True, imputed=True), Ridge(alpha=50.0))
    rows = inputs.split.train
    ridge = replace(ols, name="ridge", model=model.fit(inputs.dataset.frame.iloc[rows], inputs.dataset.y[rows]))
    board = replace(inputs.leaderboard, entries=(lasso, ols, ridge, inputs.leaderboard.dummy), winner=lasso)
    return replace(inputs, leaderboard=board)


@pytest.fixture(scope="session")
def binary() -> ReportInputs:
    """Synthetic churn with a logistic regression and values."""
    table = churn_table(900, seed=1)
    return trained(table, "churn", ("logistic",), "roc_auc", entity="client_id", value=VALUE)


@pytest.fixture(scope="session")
def boosted() -> ReportInputs:
    """Synthetic churn, won by gradient boosting because nothing else is there."""
    return trained(churn_table(600, seed=2), "churn", ("gradient_boosting",), "log_loss", entity="client_id")


@pytest.fixture(scope="session")
def multiclass() -> ReportInputs:
    """Wines of three growers, with a category and a missing value beside the numbers."""
    frame = load_wine(as_frame=True).frame.iloc[:, [0, 4, 9, 12, 13]]
    frame["grower"] = frame.pop("target").map({0: "Barolo", 1: "Grignolino", 2: "Barbera"})
    frame["cellar"] = np.where(np.arange(len(frame)) % 3 == 0, "north", "south")
    frame.loc[3, "proline"] = np.nan
    return trained(pa.Table.from_pandas(frame), "grower", ("logistic",), "log_loss")


@pytest.fixture(scope="session")
def told() -> Callable[[ReportInputs], Report]:
    """Build a report once for each training."""
    made: dict[int, Report] = {}

    def of(inputs: ReportInputs) -> Report:
        if id(inputs) not in made:
            made[id(inputs)] = build(inputs, lambda *_: None)
        return made[id(inputs)]

    return of


@pytest.fixture(scope="session")
def drawn(told: Callable[[ReportInputs], Report]) -> Callable[[ReportInputs], str]:
    """Draw the page of a report once for each training."""
    made: dict[int, str] = {}

    def of(inputs: ReportInputs) -> str:
        if id(inputs) not in made:
            made[id(inputs)] = page(told(inputs))
        return made[id(inputs)]

    return of
