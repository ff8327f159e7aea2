"""The two models that are served, fitted once with scikit-learn: their rows, and what they answer to them."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Lasso
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from vigie.testing.tables import churn_table

N_CHECKED = 100
"""Rows whose answers are compared with scikit-learn's before anything is timed."""

N_BULK = 10_000

LINEAR, TREES = "A linear", "B boosting, 200 trees"

OFFERS = ("annuel", "essai", "mensuel", "partenaire")


@dataclass(frozen=True, slots=True)
class Case:
    """One fitted model.

    Attributes:
        name: for people.
        project: the name of its model.
        model: the fitted pipeline.
        rows: what is asked, as a client sends it.
        answers: scikit-learn's own: a number, or the probability of the second class.
        table: what it was fitted on, with the target in the last column.
        bulk: 10,000 rows.
    """

    name: str
    project: str
    model: Pipeline
    rows: list[dict[str, Any]]
    answers: list[float]
    table: pd.DataFrame
    bulk: pd.DataFrame

    @property
    def has_classes(self) -> bool:
        """Whether it answers probabilities."""
        return hasattr(self.model, "predict_proba")

    def write(self, folder: Path) -> None:
        """Write what peers read: the model as scikit-learn keeps it, and a description."""
        kinds = {name: "text" if isinstance(value, str) else "number" for name, value in self.rows[0].items()}
        described = {"features": kinds, "classes": self.has_classes, "rows": self.rows}
        (folder / "case.json").write_text(json.dumps(described), encoding="utf-8")
        joblib.dump(self.model, folder / "model.joblib")


def linear() -> Case:
    """Return StandardScaler and Lasso on diabetes: ten numbers in, one out."""
    table = load_diabetes(as_frame=True, scaled=False).frame.astype(float)
    model = make_pipeline(StandardScaler(), Lasso(alpha=0.1)).fit(table.iloc[:, :-1], table["target"])
    return _case(LINEAR, "diabetes", model, table)


def trees() -> Case:
    """Return imputer, scaler, one-hot encoder and 200 boosted trees of depth 3: five numbers and a text in."""
    rng = np.random.default_rng(7)
    table = churn_table(4_000, seed=7).to_pandas().drop(columns="client_id")
    numbers = [name for name in table.columns if name != "churn"]
    table = table.astype(dict.fromkeys(numbers, float))
    table.insert(len(numbers), "offre", rng.choice(OFFERS, len(table)))
    prepare = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
            ("texts", OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["offre"]),
        ]
    )
    model = Pipeline([("prepare", prepare), ("model", GradientBoostingClassifier(n_estimators=200, random_state=0))])
    return _case(TREES, "churn", model.fit(table.iloc[:, :-1], table["churn"]), table)


CASES: dict[str, Callable[[], Case]] = {LINEAR: linear, TREES: trees}
"""Every case by name."""


def _case(name: str, project: str, model: Pipeline, table: pd.DataFrame) -> Case:
    features = table.iloc[:, :-1]
    asked = features.iloc[:N_CHECKED]
    said = model.predict_proba(asked)[:, 1] if hasattr(model, "predict_proba") else model.predict(asked)
    bulk = features.iloc[np.arange(N_BULK) % len(features)].reset_index(drop=True)
    rows: list[dict[str, Any]] = asked.to_dict("records")  # type: ignore[assignment]  # names are texts
    return Case(name, project, model, rows, said.tolist(), table, bulk)
