"""Candidates in order of merit, the dummy among them, and those that were left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from vigie.domain.measurement import Measurement
from vigie.errors import DataError
from vigie.evaluation.metrics import METRICS, Scores
from vigie.evaluation.paired import PairedDifference
from vigie.training.candidates import DUMMY, Simplicity
from vigie.training.coefficients import Coefficients
from vigie.training.tuner import TunerFigure
from vigie.training.tuning import Search


@dataclass(frozen=True, slots=True)
class Entry:
    """One candidate after training.

    Attributes:
        name: the candidate's.
        simplicity: its place in the order of simplicity.
        model: pipeline fitted on the training rows; the winner's may be the mean of several fits.
        point: parameters of that fit beside the candidate's own: the search's, and what the folds agreed on.
        cv: the ranking metric over folds of the training rows: mean, and the interval of the corrected resampled t.
        folds: every metric of the task by name, one value a fold, of all repeats; NaN where a fold does not define it.
        test: every metric of the task on the held-out rows.
        test_scores: what those rest on, in the order of ``Split.test``.
        out_of_fold: training rows, each predicted by a fold's model that did not learn from it; of the first repeat.
        out_of_fold_rows: which rows of the dataset these are; folds by time leave out the earliest.
        losses: of each of these rows, in the same order, the mean over repeats.
        params: what was chosen or fixed, as text.
        chosen: what fitting or searching chose, in full precision.
        search: how far the grid was searched; None without a grid.
        tuner: what its penalty scores where the scaler has seen the rows it is checked on; None without a penalty. It
            ranks nothing.
        seconds: wall time of all its fits, by the clock that training was given.
        coefficients: one line an output; None where the model is no line.
        n_features_in: features given.
        n_features_kept: features with a non-zero coefficient; None where there are no coefficients.
        notes: what the estimator warned of while it was fitted, each once.
        by_fold: what the model of each fold says of the rows it did not learn from, of all repeats.
        parts: the fitted models it is made of; empty for a model of its own.
    """

    name: str
    simplicity: Simplicity
    model: Pipeline
    point: Mapping[str, Any]
    cv: Measurement
    folds: Mapping[str, tuple[float, ...]]
    test: tuple[Measurement, ...]
    test_scores: Scores
    out_of_fold: Scores
    out_of_fold_rows: np.ndarray
    losses: np.ndarray
    params: dict[str, str]
    chosen: Mapping[str, Any]
    search: Search | None
    tuner: TunerFigure | None
    seconds: float
    coefficients: tuple[Coefficients, ...] | None
    n_features_in: int
    n_features_kept: int | None
    notes: tuple[str, ...]
    by_fold: tuple[Scores, ...]
    parts: tuple[Pipeline, ...]

    def measured(self, metric: str) -> Measurement:
        """Return a metric on the held-out rows; KeyError when the task has no such metric."""
        for measurement in self.test:
            if measurement.name == metric:
                return measurement
        raise KeyError(metric)


@dataclass(frozen=True, slots=True)
class Failure:
    """A candidate that could not be fitted, or never served, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Choice:
    """Which entry is kept, as a value with its reason.

    Attributes:
        best: first by cross-validation, the dummy aside.
        kept: the winner: ``best``, or a simpler one that cannot be told apart from it.
        reason: one sentence.
        compared: by the simpler candidate's name, how much lower the mean out-of-fold loss of ``best`` is. Its ``n``
            counts what was drawn again: rows, entities, or blocks of rows where there are very many.
    """

    best: str
    kept: str
    reason: str
    compared: Mapping[str, PairedDifference]


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """What training found.

    Attributes:
        metric: candidates are ranked by its cross-validated mean.
        n_folds: of one repeat.
        n_repeats: how often the training rows were dealt into folds.
        entries: best first; the dummy stands where its score puts it.
        winner: the entry that ``choice`` kept, never the dummy; whether it beats the dummy is for the gate to say.
        dummy: the entry that looks at no feature.
        failures: candidates that could not be fitted, or never served.
        choice: why the winner is the winner.
        warnings: sentences about what makes the scores doubtful.
    """

    metric: str
    n_folds: int
    n_repeats: int
    entries: tuple[Entry, ...]
    winner: Entry
    dummy: Entry
    failures: tuple[Failure, ...]
    choice: Choice
    warnings: tuple[str, ...]

    def with_winner(self, winner: Entry) -> "Leaderboard":
        """Return the same board with another entry of the winner's name in its place."""
        entries = tuple(winner if entry.name == winner.name else entry for entry in self.entries)
        return replace(self, entries=entries, winner=winner)


def in_order_of_merit(metric: str, entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Return entries best first by the cross-validated metric; of equals, the one named first."""
    direction = -1.0 if METRICS[metric].greater_is_better else 1.0

    def demerit(entry: Entry) -> float:
        value = entry.cv.value
        return float("inf") if value is None else direction * value

    return tuple(sorted(entries, key=demerit))


def check_any(entries: Sequence[Entry], failures: Sequence[Failure]) -> None:
    """Refuse a board without a model, or without the dummy that it is to be weighed against.

    Raises:
        DataError: nothing but the dummy was fitted, or not even that.
    """
    names = {entry.name for entry in entries}
    if DUMMY not in names or len(names) < 2:
        reasons = "; ".join(f"{failure.name}: {failure.reason}" for failure in failures)
        raise DataError(
            f"No candidate could be fitted ({reasons}).", remedy="Check the table, or name other candidates."
        )
