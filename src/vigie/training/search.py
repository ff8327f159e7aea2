"""Cross-validation and the final fit of every candidate, always of the whole pipeline and on training rows only."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import t as student
from sklearn.pipeline import Pipeline

from vigie.domain.measurement import Interval, Measurement
from vigie.domain.schema import Schema
from vigie.errors import ConfigurationError, nearest
from vigie.evaluation.intervals import LEVEL, measure
from vigie.evaluation.metrics import METRICS, Metric, metrics_for
from vigie.training.candidates import Candidate, candidates_for
from vigie.training.dataset import Dataset
from vigie.training.folds import Fold, folds_of
from vigie.training.leaderboard import Entry, Failure, Leaderboard, rank
from vigie.training.preprocessing import build_pipeline, columns_per_feature
from vigie.training.scoring import joined, scores_of
from vigie.training.split import Split

Progress = Callable[[str, int, int], None]
"""Called with the candidate's name, fits done and fits to do, before the first fit and after each."""

# What numerical code raises when the data does not suit it; anything else is a fault of ours and must be seen.
_UNFIT = (ValueError, ArithmeticError, MemoryError, RuntimeError, TypeError)


@dataclass(frozen=True, slots=True)
class TrainingSpec:
    """What to try and how to judge it.

    Attributes:
        names: candidates; the dummy is added.
        metric: what they are ranked by.
        folds: of the cross-validation, at least 2.
        seed: of folds and estimators.
    """

    names: tuple[str, ...]
    metric: str
    folds: int
    seed: int


def train_candidates(dataset: Dataset, split: Split, spec: TrainingSpec, *, progress: Progress) -> Leaderboard:
    """Return the candidates fitted on the training rows, in order of merit.

    A candidate that cannot be fitted is reported among the failures and does not stop the others.

    Args:
        dataset: all rows.
        split: which of them are learnt from; the others only measure the final fit.
        spec: what to try.
        progress: told of every fit.

    Raises:
        ConfigurationError: a candidate or the metric is unknown or does not fit the task, or folds is below 2.
        DataError: a class has fewer training rows than folds, or no candidate could be fitted.
    """
    task = dataset.schema.target.task
    metric = _metric(dataset, spec.metric)
    candidates = candidates_for(task, spec.names)
    folds = folds_of(dataset, split, n_folds=spec.folds, seed=spec.seed)
    entries: list[Entry] = []
    failures: list[Failure] = []
    total = len(candidates) * (spec.folds + 1)
    for position, candidate in enumerate(candidates):
        done = position * (spec.folds + 1)

        def told(fits: int, name: str = candidate.name, done: int = done) -> None:
            progress(name, done + fits, total)

        try:
            entries.append(_trained(candidate, dataset, split, _Judge(metric, folds, spec.seed), told))
        except _UNFIT as error:
            failures.append(Failure(candidate.name, f"{type(error).__name__}: {_first_line(error)}"))
            told(spec.folds + 1)
    return rank(metric.name, entries, failures)


def _metric(dataset: Dataset, name: str) -> Metric:
    valid = [metric.name for metric in metrics_for(dataset.schema.target.task)]
    if name not in valid:
        task = dataset.schema.target.task.value
        problem = f"metric {name!r} does not judge {task}." if name in METRICS else f"there is no metric {name!r}."
        raise ConfigurationError(
            problem + nearest(name, valid), remedy=f"For {task}: {', '.join(valid)}.", key="training.metric"
        )
    return METRICS[name]


@dataclass(frozen=True, slots=True)
class _Judge:
    """What is the same for all candidates."""

    metric: Metric
    folds: Sequence[Fold]
    seed: int


def _trained(
    candidate: Candidate,
    dataset: Dataset,
    split: Split,
    judge: _Judge,
    told: Callable[[int], None],
) -> Entry:
    schema, task = dataset.schema, dataset.schema.target.task

    def fitted(rows: np.ndarray) -> Pipeline:
        pipeline = build_pipeline(schema, candidate.needs, candidate.build(task, judge.seed))
        return pipeline.fit(dataset.frame.iloc[rows], dataset.y[rows])

    told(0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        values, checked = [], []
        for number, (fit, check) in enumerate(judge.folds, start=1):
            scores = scores_of(fitted(fit), task, dataset.frame.iloc[check], dataset.y[check])
            values.append(judge.metric.compute(scores))
            checked.append(scores)
            told(number)
        model = fitted(split.train)
        test_scores = scores_of(model, task, dataset.frame.iloc[split.test], dataset.y[split.test])
        told(len(judge.folds) + 1)
    return Entry(
        name=candidate.name,
        model=model,
        cv=_cross_validated(judge.metric, np.array(values), len(split.train)),
        test=measure(test_scores, task),
        test_scores=test_scores,
        out_of_fold=joined(checked),
        out_of_fold_rows=np.concatenate([check for _, check in judge.folds]),
        params=_params(candidate, model.named_steps["model"]),
        n_features_in=len(schema.features),
        n_features_kept=_n_kept(model, schema),
        notes=tuple(dict.fromkeys(_first_line(warning.message) for warning in caught)),
    )


def _cross_validated(metric: Metric, values: np.ndarray, n: int) -> Measurement:
    """Return the mean over folds with a t interval.

    Folds share training rows, so the interval is a guide and not a test: no unbiased estimate of the variance exists.

    Source:
        Bengio and Grandvalet (2004), No unbiased estimator of the variance of k-fold cross-validation.
    """
    mean, spread = float(values.mean()), float(values.std(ddof=1)) / np.sqrt(len(values))
    if not np.isfinite(mean):
        reason = f"{metric.name} is not defined in at least one of {len(values)} folds."
        return Measurement(name=metric.name, value=None, unit=metric.unit, n=n, reason=reason)
    half = float(student.ppf((1 + LEVEL) / 2, df=len(values) - 1)) * float(spread)
    low = mean - half if metric.name == "r2" else max(0.0, mean - half)
    high = min(1.0, mean + half) if metric.unit == "1" else mean + half
    return Measurement(
        name=metric.name,
        value=mean,
        unit=metric.unit,
        n=n,
        interval=Interval(low, high, LEVEL),
        reason=f"Mean over {len(values)} folds.",
    )


def _first_line(message: object) -> str:
    lines = str(message).strip().splitlines()
    return lines[0] if lines else "no message"


def _params(candidate: Candidate, estimator: Any) -> dict[str, str]:
    values = {name: getattr(estimator, name) for name in candidate.reported}
    return {
        name.rstrip("_"): f"{value:.6g}" if isinstance(value, float) else str(value) for name, value in values.items()
    }


def _n_kept(model: Pipeline, schema: Schema) -> int | None:
    """Count features of which at least one column has a coefficient other than zero."""
    coefficients = getattr(model.named_steps["model"], "coef_", None)
    if coefficients is None:
        return None
    used = np.any(np.atleast_2d(coefficients) != 0, axis=0)
    widths = list(columns_per_feature(model, schema).values())
    return sum(bool(part.any()) for part in np.split(used, np.cumsum(widths)[:-1]))
