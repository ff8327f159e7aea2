"""One candidate's whole pipeline, fitted on some rows and asked about others: nothing is fitted anywhere else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from vigie.evaluation.metrics import Scores
from vigie.training.blend import blended_model
from vigie.training.candidates import Candidate
from vigie.training.dataset import Dataset
from vigie.training.preprocessing import build_pipeline
from vigie.training.scoring import scores_of


@dataclass(frozen=True, slots=True)
class Fitting:
    """A candidate on a dataset.

    Attributes:
        candidate: what to fit.
        dataset: all rows.
        seed: of the estimator.
    """

    candidate: Candidate
    dataset: Dataset
    seed: int

    def fitted(self, rows: np.ndarray, point: Mapping[str, Any]) -> Pipeline:
        """Return the pipeline, preprocessing included, fitted on ``rows`` with the parameters of one grid point."""
        schema = self.dataset.schema
        estimator = self.candidate.estimator(schema.target.task, self.seed, point)
        pipeline = self._fit(build_pipeline(schema, self.candidate.needs, estimator), rows)
        if self.candidate.tune is None or not self.candidate.tunes(point):
            return pipeline
        columns = np.asarray(pipeline[:-1].transform(self.dataset.frame.iloc[rows]), dtype=np.float64)
        alpha = self.candidate.tune(columns, self.dataset.y[rows])
        return self._fit(pipeline.set_params(model__alpha=alpha), rows)

    def mean(self, first: Pipeline, rows: np.ndarray, point: Mapping[str, Any]) -> Pipeline:
        """Return the mean of ``first``, fitted to ``rows`` with these parameters, and of fits with further seeds.

        There are as many as the candidate has members; of one, it is ``first`` itself.
        """
        seeds = range(self.seed + 1, self.seed + self.candidate.members)
        others = [replace(self, seed=seed).fitted(rows, point) for seed in seeds]
        return self.blended([first, *others], rows) if others else first

    def blended(self, models: Sequence[Pipeline], rows: np.ndarray) -> Pipeline:
        """Return the mean of models that were all fitted to ``rows``."""
        return blended_model(models, *self._rows(rows))

    def _rows(self, rows: np.ndarray) -> tuple[pd.DataFrame, np.ndarray]:
        return self.dataset.frame.iloc[rows], self.dataset.y[rows]

    def _fit(self, pipeline: Pipeline, rows: np.ndarray) -> Pipeline:
        return pipeline.fit(*self._rows(rows))

    def ask(self, model: Pipeline, rows: np.ndarray) -> Scores:
        """Return what a fitted pipeline says of ``rows`` beside their outcomes."""
        return scores_of(model, self.dataset.schema.target.task, *self._rows(rows))
