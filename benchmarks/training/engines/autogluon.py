"""AutoGluon: medium_quality within a time limit, then its deployment clone, kept in memory, as its guide advises."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from autogluon.tabular import TabularPredictor

from benchmarks.training.engines.engine import Score, run

METRICS = {"roc_auc": "roc_auc", "rmse": "root_mean_squared_error", "log_loss": "log_loss"}


def train(request: Any) -> list[str]:
    """Fit within ``budget_s`` seconds."""
    folder = Path(request["folder"])
    predictor = TabularPredictor(
        label=request["target"],
        problem_type=request["task"],
        eval_metric=METRICS[request["metric"]],
        path=str(folder.with_name(f"{folder.name}-all")),
        verbosity=0,
    )
    predictor.fit(
        pd.read_parquet(request["train"]),
        presets="medium_quality",
        time_limit=request["budget_s"],
        num_cpus=1,
        num_gpus=0,
    )
    predictor.clone_for_deployment(str(folder), dirs_exist_ok=True)
    return [f"chose {predictor.model_best} of {len(predictor.model_names())} models"]


def load(folder: Path) -> Score:
    """Open the clone and keep its models in memory."""
    predictor = TabularPredictor.load(str(folder), verbosity=0)
    predictor.persist()
    names = predictor.features()

    def score(records: Sequence[dict[str, Any]]) -> list[Any]:
        frame = pd.DataFrame.from_records(list(records), columns=names)
        if predictor.problem_type == "regression":
            return predictor.predict(frame).tolist()  # type: ignore[no-any-return]
        proba = predictor.predict_proba(frame)
        return proba[sorted(proba.columns)].to_numpy().tolist()  # type: ignore[no-any-return]

    return score


if __name__ == "__main__":
    run(train, load)
