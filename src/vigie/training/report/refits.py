"""Fits made for the report alone: a winner on fewer rows, or with one dial turned, judged on rows it left out."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from vigie.evaluation.metrics import METRICS, Scores
from vigie.training.blend import blended_model
from vigie.training.folds import Fold, folds_of
from vigie.training.report.inputs import ReportInputs
from vigie.training.scoring import scores_of


@dataclass(frozen=True, slots=True)
class Curve:
    """A metric on rows that were learnt from and on rows that were not, along one axis.

    Attributes:
        at: shape (k,), what changes.
        seen: shape (k, n_folds), on the rows that were learnt from.
        unseen: shape (k, n_folds), on the fold that was left out.
    """

    at: np.ndarray
    seen: np.ndarray
    unseen: np.ndarray


def some_folds(inputs: ReportInputs) -> list[Fold]:
    """Return the last folds of the cross-validation, as many as the effort allows; by time they are the longest.

    Of the rows that a fold is checked on, no more are kept than the effort allows, drawn at random.
    """
    folds = folds_of(inputs.dataset, inputs.split, n_folds=inputs.n_folds, seed=inputs.seed)[-inputs.effort.folds :]
    rng, most = np.random.default_rng(inputs.seed), inputs.effort.judged_rows
    return [(fit, check if len(check) <= most else np.sort(rng.permutation(check)[:most])) for fit, check in folds]


def fewer(inputs: ReportInputs, rows: np.ndarray, n: int) -> np.ndarray:
    """Return ``n`` of the rows: the latest where the split is by time, else drawn at random."""
    if n >= len(rows):
        return rows
    if inputs.split.by_time:
        return rows[-n:]
    return np.random.default_rng(inputs.seed).permutation(rows)[:n]


def holds_every_class(inputs: ReportInputs, rows: np.ndarray) -> bool:
    """Whether a classifier that learns from these rows would know every class."""
    if not inputs.task.is_classification:
        return True
    return len(np.unique(inputs.dataset.y[rows])) == len(inputs.dataset.schema.target.classes)


def refitted(inputs: ReportInputs, rows: np.ndarray) -> Pipeline:
    """Return the winner's pipeline fitted anew to some rows, preprocessing and tuning included; a blend's parts too."""
    winner, frame, y = inputs.leaderboard.winner, inputs.dataset.frame.iloc[rows], inputs.dataset.y[rows]
    if not winner.parts:
        return quietly_fitted(clone(winner.model), frame, y)
    return blended_model([quietly_fitted(clone(part), frame, y) for part in winner.parts], frame, y)


def preprocessed(inputs: ReportInputs, fit: np.ndarray, check: np.ndarray) -> tuple[Any, Any, Any]:
    """Return rows as the winner's estimator learns them, the same rows as it is asked about them, and other rows.

    The first two differ where levels are told as mean outcomes: while learning, no row's own outcome is in its mean.
    """
    known, asked = inputs.dataset.frame.iloc[fit], inputs.dataset.frame.iloc[check]
    steps = clone(inputs.leaderboard.winner.model[:-1])
    if not len(steps):
        return known, known, asked
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        learnt = steps.fit_transform(known, inputs.dataset.y[fit])
    return learnt, steps.transform(known), steps.transform(asked)


def quietly_fitted(model: Any, columns: Any, y: np.ndarray) -> Any:
    """Return a model fitted; on few rows one may not converge, and the curve shows what that costs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(columns, y)


def scores_at(inputs: ReportInputs, model: Pipeline, rows: np.ndarray) -> Scores:
    """Return what a model says of some rows of the dataset."""
    return scores_of(model, inputs.task, inputs.dataset.frame.iloc[rows], inputs.dataset.y[rows])


def judged(inputs: ReportInputs, scores: Scores) -> float:
    """Return the ranking metric."""
    return METRICS[inputs.leaderboard.metric].compute(scores)


def staged(inputs: ReportInputs, model: Pipeline, rows: np.ndarray) -> Iterator[Scores]:
    """Yield what a boosted model says of rows after each of its rounds."""
    estimator = model.named_steps["model"]
    prepared = (
        model[:-1].transform(inputs.dataset.frame.iloc[rows]) if len(model) > 1 else inputs.dataset.frame.iloc[rows]
    )
    y = inputs.dataset.y[rows]
    if not inputs.task.is_classification:
        for predicted in estimator.staged_predict(prepared):
            yield Scores(y, np.asarray(predicted, dtype=np.float64))
        return
    for proba in estimator.staged_predict_proba(prepared):
        yield Scores(y, proba.argmax(axis=1), np.asarray(proba, dtype=np.float64))
