"""Cross-validation and the final fit of every candidate, always of the whole pipeline and on training rows only."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from vigie.domain.schema import Schema
from vigie.errors import ConfigurationError, DataError, nearest
from vigie.evaluation.intervals import measure
from vigie.evaluation.metrics import METRICS, Metric, Scores, metrics_for
from vigie.training.asked import Asked, candidates_for
from vigie.training.blend import blended_scores
from vigie.training.boosters import booster_errors
from vigie.training.candidates import DUMMY, Candidate
from vigie.training.choice import choose
from vigie.training.coefficients import coefficients_of
from vigie.training.cross_validation import cross_validated, mean_losses
from vigie.training.dataset import Dataset
from vigie.training.fitting import Fitting
from vigie.training.folds import Fold, folds_of, usual_folds
from vigie.training.leaderboard import Entry, Failure, Leaderboard, check_any, in_order_of_merit
from vigie.training.leakage import leakage_warnings
from vigie.training.preprocessing import columns_per_feature
from vigie.training.progress import Progress, Ticks, n_fits
from vigie.training.roles import entity_codes
from vigie.training.scoring import joined
from vigie.training.split import Split
from vigie.training.tuner import TUNING_FOLDS, TunerFigure, tuner_figure
from vigie.training.tuning import INNER_FOLDS, Search, on_rows, search_grid

Seconds = Callable[[], float]
"""Seconds since any fixed moment."""

Unservable = Callable[[Pipeline], str | None]
"""Says of a fitted pipeline why it could never serve, None when it can."""

# What numerical code raises when the data does not suit it; anything else is a fault of ours and must be seen.
_UNFIT = (ValueError, ArithmeticError, MemoryError, RuntimeError, TypeError, DataError)


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
    judge = _Judge(
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
    # in the order they were fitted in, not of merit: the sum of their scores rounds as it did when it was judged
    parts = [entry for entry in entries if entry.name in fittings[board.winner.name].candidate.parts]
    n_each = max(fittings[one.name].candidate.members for one in parts or [board.winner])
    if n_each == 1:
        progress(candidates[-1].name, done, done)  # what is kept needs no fit more
        return board
    ticks = Ticks(f"{board.winner.name} (kept)", done, total, progress)
    ticks.begin()
    board = board.with_winner(_whole(board.winner, parts, n_each, fittings, split, judge))
    ticks.add(1)
    return board


def _whole(
    kept: Entry, parts: Sequence[Entry], n_each: int, fittings: Mapping[str, Fitting], split: Split, judge: "_Judge"
) -> Entry:
    """Return the winner as the mean of all fits that it, or each part of a blend, is to have; the others keep one."""
    fitting, began = fittings[kept.name], judge.seconds()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what the first fit warned of is in the notes
            models = tuple(fittings[one.name].mean(one.model, split.train, one.point) for one in parts or [kept])
        model = fitting.blended(models, split.train) if parts else models[0]
        scores = fitting.ask(model, split.test)
    except _unfit() as error:
        # what was judged is there, and can be kept as it is
        failed = f"kept as one fit: the next one failed ({type(error).__name__}: {_first_line(error)})"
        return replace(kept, notes=(failed, *kept.notes))
    return replace(
        kept,
        model=model,
        parts=models if parts else (),
        test=measure(scores, fitting.dataset.schema.target.task),
        test_scores=scores,
        params={**kept.params, "fits": str(n_each)},
        seconds=kept.seconds + max(0.0, judge.seconds() - began),
        notes=(f"held out as the mean of {n_each} fits, which is kept; the others as one fit", *kept.notes),
    )


def _leaderboard(
    dataset: Dataset, split: Split, judge: "_Judge", entries: tuple[Entry, ...], failures: tuple[Failure, ...]
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


@dataclass(frozen=True, slots=True)
class _Judge:
    """What is the same for all candidates."""

    metric: Metric
    folds: Sequence[Fold]
    repeats: int
    seed: int
    seconds: Seconds
    budget_s: float | None
    unservable: Unservable

    @property
    def n_folds(self) -> int:
        """Folds of one repeat."""
        return len(self.folds) // self.repeats

    @property
    def growth(self) -> float:
        """How many times the rows that a fold learns from all folds together have."""
        return float(np.mean([(len(fit) + len(check)) / len(fit) for fit, check in self.folds]))


@dataclass(frozen=True, slots=True)
class _Fitted:
    """One candidate, fitted in every fold and at last on all training rows, not judged yet."""

    model: Pipeline
    point: Mapping[str, Any]
    by_fold: Sequence[Scores]
    test: Scores
    search: Search
    tuner: TunerFigure | None = None
    parts: tuple[Pipeline, ...] = ()
    notes: tuple[str, ...] = ()


def _attempted(fitting: Fitting, split: Split, judge: _Judge, ticks: Ticks, parts: Sequence[Entry]) -> Entry | Failure:
    began = judge.seconds()
    try:
        fitted = (
            _blended(fitting, split, parts, ticks) if fitting.candidate.parts else _fitted(fitting, split, judge, ticks)
        )
        entry = _judged(fitting, split, judge, fitted, max(0.0, judge.seconds() - began))
    except _unfit() as error:
        return Failure(fitting.candidate.name, f"{type(error).__name__}: {_first_line(error)}")
    reason = judge.unservable(entry.model)
    return entry if reason is None else Failure(entry.name, reason)


def _unfit() -> tuple[type[Exception], ...]:
    return (*_UNFIT, *booster_errors())


def _blended(fitting: Fitting, split: Split, parts: Sequence[Entry], ticks: Ticks) -> _Fitted:
    """Return the blend of models that are fitted already, fold by fold and at last."""
    ticks.begin()
    absent = set(fitting.candidate.parts) - {part.name for part in parts}
    if absent:
        raise DataError(f"{', '.join(sorted(absent))} could not be fitted.", remedy="See why there.")
    by_fold = [blended_scores(said) for said in zip(*(part.by_fold for part in parts), strict=True)]
    models = tuple(part.model for part in parts)
    model = fitting.blended(models, split.train)
    ticks.add(1)
    return _Fitted(model, {}, by_fold, fitting.ask(model, split.test), Search({}, 1, 1), parts=models)


def _fitted(fitting: Fitting, split: Split, judge: _Judge, ticks: Ticks) -> _Fitted:
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
        tuner = _tuner(fitting, model, split.train, search.point, judge.n_folds)
        ticks.add(1)
    notes = (*_cut_short(search), *dict.fromkeys(_first_line(warning.message) for warning in caught))
    return _Fitted(model, point, checked, test, search, tuner, notes=notes)


def _judged(fitting: Fitting, split: Split, judge: _Judge, fitted: _Fitted, seconds: float) -> Entry:
    """Return what is known of a fitted candidate."""
    candidate, schema = fitting.candidate, fitting.dataset.schema
    model, checked, search = fitted.model, fitted.by_fold, fitted.search
    folds = {metric.name: _per_fold(metric, checked) for metric in metrics_for(schema.target.task)}
    estimator = model.named_steps["model"]
    return Entry(
        name=candidate.name,
        simplicity=candidate.simplicity,
        model=model,
        point=fitted.point,
        cv=cross_validated(
            judge.metric, np.array(folds[judge.metric.name]), judge.folds, n=len(split.train), repeats=judge.repeats
        ),
        folds=folds,
        test=measure(fitted.test, schema.target.task),
        test_scores=fitted.test,
        out_of_fold=joined(checked[: judge.n_folds]),
        out_of_fold_rows=np.concatenate([check for _, check in judge.folds[: judge.n_folds]]),
        losses=mean_losses(checked, judge.folds, schema.target.task, n_folds=judge.n_folds),
        params=_params(candidate, search, estimator),
        chosen={**search.point, **_found(candidate, search.point, estimator)},
        search=search if candidate.grid else None,
        tuner=fitted.tuner,
        seconds=seconds,
        coefficients=coefficients_of(model, schema),
        n_features_in=len(schema.features),
        n_features_kept=_n_kept(model, schema),
        notes=fitted.notes,
        by_fold=tuple(checked),
        parts=fitted.parts,
    )


def _search(
    fitting: Fitting,
    split: Split,
    judge: _Judge,
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


def _per_fold(metric: Metric, checked: Sequence[Scores]) -> tuple[float, ...]:
    return tuple(metric.compute(scores) for scores in checked)


def _tuner(
    fitting: Fitting, model: Pipeline, rows: np.ndarray, point: Mapping[str, Any], n_folds: int
) -> TunerFigure | None:
    """Return the figure of a penalty on the training rows as the final fit prepared them; None without a penalty."""
    candidate = fitting.candidate
    if candidate.tune is None and candidate.build_fixed is None:
        return None
    tuned = "alpha" not in {**candidate.params, **point}
    columns = np.asarray(model[:-1].transform(fitting.dataset.frame.iloc[rows]), dtype=np.float64)
    own = getattr(model[-1], "cv", None)
    tuner_folds = own if isinstance(own, int) else TUNING_FOLDS
    return tuner_figure(
        model[-1], columns, fitting.dataset.y[rows], n_folds=tuner_folds if tuned else n_folds, tuned=tuned
    )


def _first_line(message: object) -> str:
    lines = str(message).strip().splitlines()
    return lines[0] if lines else "no message"


def _params(candidate: Candidate, search: Search, estimator: Any) -> dict[str, str]:
    """Return what a reader wants to know, as text: the user's parameters, the search's, then what the fit says."""
    reported = {name: getattr(estimator, name) for name in candidate.reported if hasattr(estimator, name)}
    values = {**{name.rstrip("_"): value for name, value in reported.items()}, **candidate.params, **search.point}
    return {name: f"{value:.6g}" if isinstance(value, float) else str(value) for name, value in values.items()}


def _found(candidate: Candidate, point: Mapping[str, Any], estimator: Any) -> Mapping[str, Any]:
    """Return what was tuned or found while fitting, as Python numbers; a last ``_`` is scikit-learn's mark."""
    names = [name for name in candidate.reported if name.endswith("_") and hasattr(estimator, name)]
    if candidate.tunes(point):
        names.append("alpha")
    return {name.rstrip("_"): np.asarray(getattr(estimator, name)).item() for name in names}


def _n_kept(model: Pipeline, schema: Schema) -> int | None:
    """Count features of which at least one column has a coefficient other than zero."""
    coefficients = getattr(model.named_steps["model"], "coef_", None)
    if coefficients is None:
        return None
    used = np.any(np.atleast_2d(coefficients) != 0, axis=0)
    widths = list(columns_per_feature(model, schema).values())
    return sum(bool(part.any()) for part in np.split(used, np.cumsum(widths)[:-1]))
