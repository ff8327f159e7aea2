"""Cross-validation and the final fit of every candidate, always of the whole pipeline and on training rows only."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vigie.errors import ConfigurationError, DataError, first_line, nearest
from vigie.evaluation.metrics import METRICS, Metric, metrics_for
from vigie.training.asked import Asked, candidates_for
from vigie.training.blend import blended_scores
from vigie.training.candidates import DUMMY, Candidate
from vigie.training.choice import choose
from vigie.training.dataset import Dataset
from vigie.training.fitting import Fitting
from vigie.training.folds import folds_of, usual_folds
from vigie.training.judging import Fitted, Judge, Seconds, Unservable, judged, tuner_of, unfit
from vigie.training.kept import with_all_fits
from vigie.training.leaderboard import Entry, Failure, Leaderboard, check_any, in_order_of_merit
from vigie.training.leakage import leakage_warnings
from vigie.training.progress import Progress, Ticks, n_fits
from vigie.training.roles import entity_codes
from vigie.training.split import Split
from vigie.training.tuning import INNER_FOLDS, Search, on_rows, search_grid


@dataclass(frozen=True, slots=True)
class TrainingSpec:
    """What to try and how to judge it.

    Attributes:
        candidates: as users write them, see ``asked``; the dummy is added.
        metric: what they are ranked by.
        folds: of the cross-validation, at least 2; None for as many as is usual for the number of rows.
        seed: of folds and estimators.
        budget_s: seconds for all searches through grids together; None for no limit.
        repeats: how often the training rows are dealt into folds.
    """

    candidates: tuple[Asked, ...]
    metric: str
    folds: int | None
    seed: int
    budget_s: float | None
    repeats: int = 1


def train_candidates(
    dataset: Dataset,
    split: Split,
    spec: TrainingSpec,
    *,
    progress: Progress,
    seconds: Seconds,
    unservable: Unservable = lambda _model: None,
) -> Leaderboard:
    """Return the candidates fitted on the training rows, in order of merit.

    A candidate that cannot be fitted, or never served, is reported among the failures and does not stop the others.

    Args:
        dataset: all rows.
        split: which of them are learnt from; the others only measure the final fit.
        spec: what to try.
        progress: told of every fit.
        seconds: what durations and the budget are measured by.
        unservable: asked about every final fit.

    Raises:
        ConfigurationError: a candidate or the metric is unknown or does not fit the task, folds is below 2, or
            folds by time are to be repeated.
        DataError: a class has fewer training rows than folds, or no candidate could be fitted.
    """
    metric = _metric(dataset, spec.metric)
    candidates = candidates_for(dataset.schema.target.task, spec.candidates)
    n_folds = usual_folds(len(split.train)) if spec.folds is None else spec.folds
    folds = folds_of(dataset, split, n_folds=n_folds, seed=spec.seed, repeats=spec.repeats)
    judge = Judge(
        metric, folds, spec.repeats, spec.seed, seconds, _share(spec.budget_s, candidates, len(folds)), unservable
    )
    entries: list[Entry] = []
    failures: list[Failure] = []
    fittings = {candidate.name: Fitting(candidate, dataset, spec.seed) for candidate in candidates}
    again = int(any(candidate.members > 1 for candidate in candidates))
    total, done = sum(n_fits(candidate, len(folds)) for candidate in candidates) + again, 0
    for candidate in candidates:
        ticks = Ticks(candidate.name, done, total, progress)
        parts = [entry for entry in entries if entry.name in candidate.parts]
        found = _attempted(fittings[candidate.name], split, judge, ticks, parts)
        if isinstance(found, Entry):
            entries.append(found)
        else:
            failures.append(found)
        total -= ticks.foregone
        done += n_fits(candidate, len(folds)) - ticks.foregone
        ticks.catch_up(done)
    check_any(entries, failures)
    board = _leaderboard(dataset, split, judge, in_order_of_merit(metric.name, entries), tuple(failures))
    if not again:
        return board
    return with_all_fits(board, entries, fittings, split, judge, Ticks(candidates[-1].name, done, total, progress))


def _leaderboard(
    dataset: Dataset, split: Split, judge: Judge, entries: tuple[Entry, ...], failures: tuple[Failure, ...]
) -> Leaderboard:
    models = [entry for entry in entries if entry.name != DUMMY]
    rows = models[0].out_of_fold_rows
    groups = entity_codes(dataset.entities[rows]) if split.by_entity and dataset.entities is not None else None
    choice = choose(models, dataset.schema.target.task, groups, np.random.default_rng(judge.seed))
    return Leaderboard(
        metric=judge.metric.name,
        n_folds=judge.n_folds,
        n_repeats=judge.repeats,
        entries=entries,
        winner=next(entry for entry in models if entry.name == choice.kept),
        dummy=next(entry for entry in entries if entry.name == DUMMY),
        failures=failures,
        choice=choice,
        warnings=leakage_warnings(dataset, split),
    )


def _metric(dataset: Dataset, name: str) -> Metric:
    valid = [metric.name for metric in metrics_for(dataset.schema.target.task)]
    if name not in valid:
        task = dataset.schema.target.task.value
        problem = f"metric {name!r} does not judge {task}." if name in METRICS else f"there is no metric {name!r}."
        raise ConfigurationError(
            problem + nearest(name, valid), remedy=f"For {task}: {', '.join(valid)}.", key="training.metric"
        )
    return METRICS[name]


def _share(budget_s: float | None, candidates: Sequence[Candidate], n_folds: int) -> float | None:
    """Return the seconds of one search: every candidate with a grid searches once a fold and once for the final fit."""
    searching = sum(len(candidate.points()) > 1 for candidate in candidates)
    return None if budget_s is None or not searching else budget_s / searching / (n_folds + 1)


def _attempted(fitting: Fitting, split: Split, judge: Judge, ticks: Ticks, parts: Sequence[Entry]) -> Entry | Failure:
    began = judge.seconds()
    try:
        fitted = (
            _blended(fitting, split, parts, ticks) if fitting.candidate.parts else _fitted(fitting, split, judge, ticks)
        )
        entry = judged(fitting, split, judge, fitted, max(0.0, judge.seconds() - began))
    except unfit() as error:
        return Failure(fitting.candidate.name, f"{type(error).__name__}: {first_line(error)}")
    reason = judge.unservable(entry.model)
    return entry if reason is None else Failure(entry.name, reason)


def _blended(fitting: Fitting, split: Split, parts: Sequence[Entry], ticks: Ticks) -> Fitted:
    """Return the blend of models that are fitted already, fold by fold and at last."""
    ticks.begin()
    absent = set(fitting.candidate.parts) - {part.name for part in parts}
    if absent:
        raise DataError(f"{', '.join(sorted(absent))} could not be fitted.", remedy="See why there.")
    by_fold = [blended_scores(said) for said in zip(*(part.by_fold for part in parts), strict=True)]
    models = tuple(part.model for part in parts)
    model = fitting.blended(models, split.train)
    ticks.add(1)
    return Fitted(model, {}, by_fold, fitting.ask(model, split.test), Search({}, 1, 1), parts=models)


def _fitted(fitting: Fitting, split: Split, judge: Judge, ticks: Ticks) -> Fitted:
    candidate = fitting.candidate
    ticks.begin()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        # the search on all training rows comes first: its time says how many points every fold may try
        until = None if judge.budget_s is None else judge.seconds() + judge.budget_s
        search = _search(fitting, split, judge, ticks, until=until)
        ticks.forego((search.n_points - search.n_tried) * INNER_FOLDS * (len(judge.folds) + 1))
        checked, estimators = [], []
        for fit, check in judge.folds:
            found = _search(fitting, on_rows(split, fit), judge, ticks, n_points=search.n_tried)
            model = fitting.fitted(fit, found.point)
            checked.append(fitting.ask(model, check))
            estimators.append(model.named_steps["model"])
            ticks.add(1)
        point = {**_settled(candidate, estimators, judge.growth), **search.point}
        model = fitting.fitted(split.train, point)
        test = fitting.ask(model, split.test)
        tuner = tuner_of(fitting, model, split.train, search.point, judge.n_folds)
        ticks.add(1)
    notes = (*_cut_short(search), *dict.fromkeys(first_line(warning.message) for warning in caught))
    return Fitted(model, point, checked, test, search, tuner, notes=notes)


def _search(
    fitting: Fitting,
    split: Split,
    judge: Judge,
    ticks: Ticks,
    *,
    until: float | None = None,
    n_points: int | None = None,
) -> Search:
    def enough() -> bool:
        ticks.add(INNER_FOLDS)
        return until is not None and judge.seconds() >= until

    return search_grid(fitting, split, judge.metric, n_points=n_points, enough=enough)


def _settled(candidate: Candidate, estimators: Sequence[Any], growth: float) -> Mapping[str, Any]:
    """Return what the folds agree on; nothing where a grid may have given every fold other parameters."""
    return {} if candidate.settle is None or candidate.grid else candidate.settle(estimators, growth)


def _cut_short(search: Search) -> tuple[str, ...]:
    if search.n_tried == search.n_points:
        return ()
    return (f"training.budget ended the search after {search.n_tried:,} of {search.n_points:,} grid points.",)
