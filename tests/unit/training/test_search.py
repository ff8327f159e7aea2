"""Candidates are fitted on training rows only, judged, ranked, and reported when they fail."""

import warnings
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import skops.io
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression
from sklearn.metrics import roc_auc_score, root_mean_squared_error
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from vigie.domain.frame import model_frame
from vigie.domain.task import Task
from vigie.errors import ConfigurationError, DataError
from vigie.training.asked import candidates_for
from vigie.training.candidates import CANDIDATES, DEFAULT_CANDIDATES, Candidate
from vigie.training.dataset import DataSpec, build_dataset
from vigie.training.folds import folds_of
from vigie.training.preprocessing import Needs, build_pipeline
from vigie.training.search import TrainingSpec, train_candidates
from vigie.training.split import Split, split


def still():
    """Return the same second always."""
    return 0.0


SPEC = DataSpec("y", None, None, None, None, (), 0.25, 7, "auto")
N = 200


def quiet(_name, _done, _total):
    """Nobody watches."""


def dataset(y, *, mixed=False, at=None):
    """Return two hundred rows of numbers; ``mixed`` adds missing numbers, a category with gaps, and a flag."""
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=N), rng.normal(size=N)
    columns = {"a": pa.array(a), "b": pa.array(b), "y": pa.array(y(a, b, rng))}
    if mixed:
        columns["a"] = pa.array(np.where(rng.uniform(size=N) < 0.1, np.nan, a))
        columns["c"] = pa.array([None if i % 11 == 0 else ("red", "green", "blue")[i % 3] for i in range(N)])
        columns["f"] = pa.array([bool(i % 2) for i in range(N)])
    if at is not None:
        columns["at"] = pa.array(at)
    return build_dataset(pa.table(columns), replace(SPEC, time="at" if at is not None else None), None)


def quantity(a, b, rng):
    """Return a number that the features explain in part."""
    return 2 * a - b + rng.normal(size=N) / 2


def label(a, b, rng):
    """Return one of two labels."""
    return np.where(a - b + rng.normal(size=N) > 0, "yes", "no")


def colour(a, b, _rng):
    """Return one of three labels."""
    return np.where(a > 0.5, "high", np.where(b > 0, "mid", "low"))


def trained(data, names, metric, **changes):
    """Return the leaderboard of some candidates, in three folds unless said otherwise."""
    spec = replace(TrainingSpec(tuple(names), metric, 3, 7, None), **changes)
    return train_candidates(data, split(data, SPEC), spec, progress=quiet, seconds=still)


def test_cross_validation_is_scikit_learns():
    """The mean over folds is what cross_val_score gives for the same pipeline on the training rows."""
    data = dataset(quantity)
    found = trained(data, ["ols"], "rmse").winner
    rows = split(data, SPEC).train
    expected = -cross_val_score(
        make_pipeline(StandardScaler(), LinearRegression()),
        data.frame.iloc[rows],
        data.y[rows],
        cv=KFold(3),
        scoring="neg_root_mean_squared_error",
    )
    assert found.cv.value == pytest.approx(expected.mean(), rel=1e-12)
    # t quantile at 0.975 with two degrees of freedom: 4.302653 (any table); each fold checks 50 rows and fits on 100
    half = 4.302653 * expected.std(ddof=1) * (1 / 3 + 50 / 100) ** 0.5
    assert found.cv.interval.high - expected.mean() == pytest.approx(half, rel=1e-6)
    assert found.cv.n == len(rows) == 150


def test_the_test_part_is_only_measured():
    """Held-out figures come from the model fitted on the training rows alone."""
    data = dataset(quantity)
    rows = split(data, SPEC)
    entry = trained(data, ["ols"], "rmse").winner
    reference = make_pipeline(StandardScaler(), LinearRegression()).fit(data.frame.iloc[rows.train], data.y[rows.train])
    predicted = reference.predict(data.frame.iloc[rows.test])
    assert entry.measured("rmse").value == pytest.approx(
        root_mean_squared_error(data.y[rows.test], predicted), rel=1e-12
    )
    assert entry.measured("rmse").n == len(entry.test_scores) == 50
    with pytest.raises(KeyError):
        entry.measured("roc_auc")


def test_folds_of_classes_are_stratified():
    """ROC-AUC over folds agrees with scikit-learn's, which takes the training rows as they come."""
    data = dataset(label)
    rows = split(data, SPEC).train
    entry = trained(data, ["logistic"], "roc_auc").winner
    expected = []
    for fit, check in StratifiedKFold(3).split(rows, data.y[rows]):
        model = make_pipeline(StandardScaler(), CANDIDATES["logistic"].build(Task.BINARY, 7))
        model.fit(data.frame.iloc[rows[fit]], data.y[rows[fit]])
        proba = model.predict_proba(data.frame.iloc[rows[check]])[:, 1]
        expected.append(roc_auc_score(data.y[rows[check]], proba))
    assert entry.cv.value == pytest.approx(np.mean(expected), rel=1e-12)


SLOW = {"lasso", "elastic_net"}
"""A thousand fits each: the integration tests of the examples send these through skops."""


COMPILED_ONLY = {"lightgbm", "xgboost", "catboost"}
"""These never travel through skops: the unit tests of the bundle say how they do."""


@pytest.mark.parametrize(("y", "task"), [(quantity, Task.REGRESSION), (label, Task.BINARY), (colour, Task.MULTICLASS)])
def test_every_candidate_fits_and_travels(y, task):
    """With gaps, categories and flags: each fits, and skops gives back the same answers."""
    data = dataset(y, mixed=True)
    candidates = [
        c for c in CANDIDATES.values() if task in c.tasks and c.name not in {*SLOW, *COMPILED_ONLY} and not c.parts
    ]
    assert len(candidates) == (7 if task is Task.REGRESSION else 6)
    for candidate in candidates:
        estimator = candidate.build(task, 7)
        if "n_estimators" in estimator.get_params():
            estimator.set_params(n_estimators=5)  # enough trees to travel
        if "max_leaf_nodes" in estimator.get_params() and "max_iter" in estimator.get_params():
            estimator.set_params(max_iter=5)
        model = build_pipeline(data.schema, candidate.needs, estimator)
        model.fit(data.frame.iloc[:80], data.y[:80])
        content = skops.io.dumps(model)
        again = skops.io.loads(content, trusted=skops.io.get_untrusted_types(data=content))
        assert np.array_equal(again.predict(data.frame), model.predict(data.frame))


def test_all_classes_have_a_probability():
    """Scores of several classes add up to one per row, and the likeliest is the prediction."""
    found = trained(dataset(colour), ["logistic"], "log_loss").winner.test_scores
    assert found.proba.sum(axis=1) == pytest.approx(np.ones(50))
    assert np.array_equal(found.predicted, found.proba.argmax(axis=1))
    assert found.proba.shape == (50, 3)


@pytest.mark.parametrize("name", [c.name for c in CANDIDATES.values() if Task.BINARY in c.tasks])
def test_gaps_and_unseen_levels_are_answered(name):
    """A request may leave nullable values out, and bring a level that training never saw."""
    data = dataset(label, mixed=True)
    candidate = CANDIDATES[name]
    model = build_pipeline(data.schema, candidate.needs, candidate.build(Task.BINARY, 7)).fit(data.frame, data.y)
    rows = model_frame(data.schema, {"a": [None, 1.0], "b": [0.0, 0.0], "c": [None, "violet"], "f": [True, False]})
    assert np.isfinite(model.predict_proba(rows)).all()


def test_a_value_may_be_missing_that_training_always_had():
    """Nullable by the schema's word is enough: the pipeline imputes even when no training row lacked it."""
    plain = dataset(label)
    declared = replace(plain.schema, features=tuple(replace(f, nullable=True) for f in plain.schema.features))
    data = replace(plain, schema=declared)
    rows = model_frame(declared, {"a": [None], "b": [None]})
    for candidate in candidates_for(Task.BINARY, DEFAULT_CANDIDATES[Task.BINARY]):
        model = build_pipeline(declared, candidate.needs, candidate.build(Task.BINARY, 7)).fit(data.frame, data.y)
        assert np.isfinite(model.predict_proba(rows)).all()


@pytest.mark.parametrize("name", ["random_forest", "patient_boosting"])
def test_training_repeats_itself(name):
    """The same seed gives the same board, to the last bit."""
    data = dataset(label, mixed=True)
    first, second = (trained(data, [name], "roc_auc", folds=2).winner for _ in range(2))
    assert first.cv == second.cv
    assert np.array_equal(first.test_scores.proba, second.test_scores.proba)


def test_patient_boosting_ends_with_the_rounds_its_folds_let_expect_and_all_rows():
    """Folds stop by a tenth of their rows; the final fit sets none aside, and nothing when a grid made folds differ."""
    data = dataset(label, mixed=True)
    final = trained(data, ["patient_boosting"], "roc_auc", folds=2).winner.model.named_steps["model"]
    assert not final.early_stopping
    assert 30 < final.max_iter < 600
    assert final.n_iter_ == 2 * final.max_iter  # two fits, each of so many rounds
    grid = {"name": "patient_boosting", "grid": {"max_leaf_nodes": [4, 8]}}
    assert trained(data, [grid], "roc_auc", folds=2).winner.model.named_steps["model"].early_stopping


def test_kept_features_count_categories_once():
    """A category counts as one feature, however many columns it became, and zero coefficients do not count."""
    rng = np.random.default_rng(5)
    levels = rng.choice(["red", "green", "blue"], 400)
    useful = rng.normal(size=400)
    columns = {"noise": rng.normal(size=400), "colour": levels, "useful": useful}
    y = 30.0 * (levels == "red") + useful * 5
    data = build_dataset(pa.table({**{k: pa.array(v) for k, v in columns.items()}, "y": pa.array(y)}), SPEC, None)
    entries = {
        entry.name: entry for entry in trained(data, ["lasso", "ols", "gradient_boosting"], "rmse", folds=2).entries
    }
    kept = {name: (entry.n_features_in, entry.n_features_kept) for name, entry in entries.items()}
    assert kept == {"lasso": (3, 2), "ols": (3, 3), "gradient_boosting": (3, None), "dummy": (3, None)}
    assert set(entries["lasso"].params) == {"alpha"}


def test_progress_counts_every_fit():
    """Three folds and a final fit for each candidate and the dummy."""
    data, told = dataset(quantity), []
    spec = TrainingSpec(("ols",), "rmse", 3, 7, None)
    train_candidates(data, split(data, SPEC), spec, progress=lambda *step: told.append(step), seconds=still)
    assert told == [("ols", done, 8) for done in range(5)] + [("dummy", done, 8) for done in range(4, 9)]


def test_the_dummy_is_listed_and_never_wins():
    """Where nothing can be learnt the dummy may lead the table, and the winner is still a model."""
    data = dataset(lambda _a, _b, rng: rng.normal(size=N))
    board = trained(data, ["dummy", "ols"], "rmse", folds=5)
    assert [entry.name for entry in board.entries] == ["dummy", "ols"]
    assert board.winner.name == "ols"


class Stubborn(RegressorMixin, BaseEstimator):
    """An estimator that no data suits."""

    def fit(self, _X, _y):
        """Refuse."""
        raise ValueError("it does not\nconverge")


def stubborn(monkeypatch):
    """Add a candidate that never fits."""
    candidate = Candidate("stubborn", frozenset(Task), Needs(scaled=False, imputed=False), lambda _t, _s: Stubborn())
    monkeypatch.setitem(CANDIDATES, "stubborn", candidate)


def test_a_failed_candidate_does_not_stop_the_others(monkeypatch):
    """It is reported with its reason."""
    stubborn(monkeypatch)
    board = trained(dataset(quantity), ["stubborn", "ols"], "rmse")
    assert [(failure.name, failure.reason) for failure in board.failures] == [("stubborn", "ValueError: it does not")]
    assert board.winner.name == "ols"


class Anxious(LinearRegression):
    """An estimator that fits and complains."""

    def fit(self, X, y):
        """Warn as scikit-learn does."""
        warnings.warn("it did not converge\nraise max_iter", ConvergenceWarning, stacklevel=1)
        return super().fit(X, y)


def test_what_an_estimator_warns_of_is_kept(monkeypatch):
    """Once, on its entry, instead of on the terminal."""
    candidate = Candidate("anxious", frozenset(Task), Needs(scaled=True, imputed=True), lambda _t, _s: Anxious())
    monkeypatch.setitem(CANDIDATES, "anxious", candidate)
    assert trained(dataset(quantity), ["anxious"], "rmse").winner.notes == ("it did not converge",)


def test_a_metric_without_a_value_ranks_last():
    """R² of a fold whose outcomes are all equal does not exist; the candidate is kept, with the reason."""
    data = dataset(lambda _a, _b, _rng: np.r_[np.zeros(N - 25), np.linspace(1, 9, 25)])
    rows = np.arange(N - 2), np.arange(N - 2, N)
    board = train_candidates(
        data, Split(*rows, "", by_time=True), TrainingSpec(("ols",), "r2", 3, 7, None), progress=quiet, seconds=still
    )
    assert board.winner.cv.value is None
    assert "not defined in at least one of 3 folds" in board.winner.cv.reason


def test_intervals_stay_where_the_metric_lives():
    """A ROC-AUC near one has no upper end above one."""
    data = dataset(lambda a, b, rng: np.where(a - b + rng.normal(size=N) / 5 > 0, "yes", "no"))
    ends = trained(data, ["logistic"], "roc_auc", folds=5).winner.cv.interval
    assert 0.9 < ends.low < ends.high <= 1.0


def test_nothing_but_failures_is_an_error(monkeypatch):
    """Without a model there is no board, and the reasons are told."""
    stubborn(monkeypatch)
    with pytest.raises(DataError, match="stubborn: ValueError: it does not"):
        trained(dataset(quantity), ["stubborn"], "rmse")


@pytest.mark.parametrize(
    ("names", "metric", "folds", "said"),
    [
        (["ridg"], "rmse", 3, "Did you mean 'ridge'"),
        (["logistic"], "rmse", 3, "'logistic' does not do regression"),
        (["dummy"], "rmse", 3, "besides the dummy"),
        ([], "rmse", 3, "besides the dummy"),
        (["ols"], "rmsee", 3, "Did you mean 'rmse'"),
        (["ols"], "roc_auc", 3, "does not judge regression"),
        (["ols"], "rmse", 1, "too few"),
        (["ols"], "rmse", 150, "more training rows"),
    ],
)
def test_wrong_settings_are_refused(names, metric, folds, said):
    """Before anything is fitted, with the nearest valid name."""
    with pytest.raises(ConfigurationError, match=said):
        trained(dataset(quantity), names, metric, folds=folds)


def test_a_class_rarer_than_the_folds_is_refused():
    """Every fold must see every class."""
    data = dataset(lambda _a, _b, _rng: np.array(["yes"] * 4 + ["no"] * (N - 4)))
    with pytest.raises(DataError, match="Class 'yes' of 'y' has 3 rows to learn from, fewer than the 5 folds"):
        trained(data, ["logistic"], "roc_auc", folds=5)


def test_rows_split_by_time_are_folded_by_time():
    """No fold learns from a row later than those it is checked on."""
    data = dataset(label, at=np.datetime64("2026-01-01") + np.random.default_rng(1).permutation(N))
    found = folds_of(data, split(data, SPEC), n_folds=4, seed=1)
    assert len(found) == 4
    for fit, check in found:
        assert data.times[fit].max() < data.times[check].min()


@pytest.mark.parametrize("y", [quantity, label])
def test_rows_split_by_entity_are_folded_by_entity(y):
    """No fold is checked on a client it has learnt from, and every training row is checked once."""
    rng = np.random.default_rng(2)
    columns = {"a": rng.normal(size=N), "id": [f"c{i % 31}" for i in range(N)]}
    table = pa.table({**columns, "y": y(columns["a"], rng.normal(size=N), rng)})
    spec = replace(SPEC, entity="id")
    data = build_dataset(table, spec, None)
    rows = split(data, spec)
    found = folds_of(data, rows, n_folds=4, seed=1)
    for fit, check in found:
        assert set(data.entities[fit]).isdisjoint(data.entities[check])
    assert sorted(np.concatenate([check for _, check in found])) == sorted(rows.train)
    with pytest.raises(DataError, match="30 folds need as many different 'id'"):
        folds_of(data, rows, n_folds=30, seed=1)


def test_a_class_of_one_entity_is_refused():
    """Its fold would be checked on a class that the others never saw."""
    rng = np.random.default_rng(2)
    names = np.array([f"c{i % 10}" for i in range(N)])
    table = pa.table({"a": rng.normal(size=N), "id": names, "y": np.where(names == "c3", "yes", "no")})
    data = build_dataset(table, replace(SPEC, entity="id"), None)
    everything = Split(np.arange(N), np.arange(0), "", by_time=False, by_entity=True)
    with pytest.raises(DataError, match=r"With all rows of one 'id' together, fold \d of 3 has"):
        folds_of(data, everything, n_folds=3, seed=1)


def test_a_class_that_comes_late_is_refused():
    """In order of time the first folds would not know it."""
    data = dataset(
        lambda _a, _b, _rng: np.array(["no"] * 120 + ["yes", "no"] * 40), at=np.datetime64("2026-01-01") + np.arange(N)
    )
    with pytest.raises(DataError, match="In order of time, fold 1 of 3 has none of class yes before it"):
        trained(data, ["logistic"], "roc_auc")


@pytest.mark.parametrize("task", list(Task))
def test_default_candidates_fit_their_task(task):
    """What is tried without a word from the user is valid, and the dummy comes last."""
    assert [candidate.name for candidate in candidates_for(task, DEFAULT_CANDIDATES[task])][-1] == "dummy"
