"""A blend answers with the mean of its parts' scores, as a plain model that compiles like any other."""

from dataclasses import replace
from itertools import product

import numpy as np
import pyarrow as pa
import pytest
import skops.io

from vigie.bundle.hist_trees import check_hist_part
from vigie.bundle.trust import TRUSTED_TYPES
from vigie.domain.frame import model_frame
from vigie.domain.task import Task
from vigie.errors import ConfigurationError
from vigie.evaluation.metrics import Scores
from vigie.loop import compile as gate
from vigie.training import search
from vigie.training.asked import candidates_for
from vigie.training.blend import blended_model, blended_scores
from vigie.training.candidates import BLEND, CANDIDATES
from vigie.training.dataset import DataSpec, build_dataset
from vigie.training.fitting import Fitting
from vigie.training.leaderboard import Choice
from vigie.training.scoring import scores_of
from vigie.training.search import TrainingSpec, train_candidates
from vigie.training.split import split

SPEC = DataSpec("y", None, None, None, None, (), 0.25, 7, "auto")
N = 400
PARTS = CANDIDATES[BLEND].parts


def dataset(task, *, categories=True):
    """Return numbers with gaps, a flag, a category of three levels with gaps, and one of thirty."""
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=N), rng.normal(size=N)
    many, few = rng.integers(0, 30, N), rng.integers(0, 3, N)
    score = a - b * (few == 1) + 0.1 * many + rng.normal(size=N)
    y = {
        Task.REGRESSION: score,
        Task.BINARY: np.where(score > 1.5, "yes", "no"),
        Task.MULTICLASS: np.select([score < 0.5, score < 2], ["low", "mid"], "high"),
    }[task]
    columns = {"a": pa.array(np.where(rng.uniform(size=N) < 0.1, np.nan, a), from_pandas=True), "b": pa.array(b)}
    if categories:
        columns["many"] = pa.array([f"l{level}" for level in many])
        columns["few"] = pa.array([None if i % 11 == 0 else "xyz"[level] for i, level in enumerate(few)])
        columns["flag"] = pa.array([bool(i % 2) for i in range(N)])
    return build_dataset(pa.table(columns | {"y": pa.array(y)}), SPEC, None)


def fitted_parts(data):
    """Return both parts fitted on all rows, for a few rounds, the second for more."""
    rows, short = np.arange(len(data)), {"early_stopping": False}
    return [
        Fitting(CANDIDATES[name], data, 7).fitted(rows, short | {"max_iter": rounds})
        for name, rounds in zip(PARTS, (8, 13), strict=True)
    ]


def asked(data):
    """Return the rows, and some with gaps and levels that training never saw."""
    strange = {feature.name: [None, None] for feature in data.schema.features}
    strange["b"] = [0.0, 1e300]
    if len(strange) > 2:
        strange |= {"many": ["l7", "never seen"], "few": ["never seen", "x"], "flag": [True, False]}
    return data.frame, model_frame(data.schema, strange)


@pytest.mark.parametrize("categories", [True, False], ids=["categories", "numbers"])
@pytest.mark.parametrize("task", Task)
def test_a_blend_answers_with_the_mean_of_the_scores(task, categories):
    """As two models asked apart, the mean taken before the link: on known rows, gaps, unseen levels."""
    data = dataset(task, categories=categories)
    parts = fitted_parts(data)
    blend = blended_model(parts, data.frame, data.y)
    for rows in asked(data):
        y = np.zeros(len(rows))
        expected = blended_scores([scores_of(part, task, rows, y) for part in parts])
        found = scores_of(blend, task, rows, y)
        assert found.predicted == pytest.approx(expected.predicted, rel=1e-12)
        if expected.proba is not None:
            assert found.proba == pytest.approx(expected.proba, rel=1e-9)


def test_the_mean_of_probabilities_is_geometric():
    """By hand: odds of 1 and of 9 have the mean odds of 3; a probability of zero stays finite."""
    y = np.zeros(2)
    halves = Scores(y, y, np.array([[0.5, 0.5], [0.5, 0.5]]))
    tenths = Scores(y, y, np.array([[0.1, 0.9], [1.0, 0.0]]))
    assert blended_scores([halves, tenths]).proba[0] == pytest.approx([0.25, 0.75])
    assert blended_scores([halves, tenths]).predicted.tolist() == [1, 0]
    assert np.isfinite(blended_scores([halves, tenths]).proba).all()


def test_the_first_rounds_of_a_blend_are_the_first_of_each():
    """By turns until the shorter one ends; the parts themselves stay as they were."""
    data = dataset(Task.BINARY)
    parts = fitted_parts(data)
    before = [part.predict_proba(data.frame) for part in parts]
    model = blended_model(parts, data.frame, data.y)[-1]
    assert model.n_iter_ == 8 + 13
    stages = [stage[0].nodes["value"][0] for stage in model._predictors]
    first, second = ([stage[0].nodes["value"][0] / 2 for stage in part[-1]._predictors] for part in parts)
    assert stages[:4] == [first[0], second[0], first[1], second[1]]
    assert stages[-5:] == second[-5:]
    assert all(np.array_equal(part.predict_proba(data.frame), was) for part, was in zip(parts, before, strict=True))


@pytest.mark.parametrize("task", Task)
def test_a_blend_compiles_and_travels_like_any_model(task):
    """Through the parity gate, the audit and skops, with no type beyond those that are trusted anyway."""
    data = dataset(task)
    blend = blended_model(fitted_parts(data), data.frame, data.y)
    columns = {name: data.frame[name].tolist() for name in data.schema.names}
    made = gate.compile_model(blend, data.schema, columns)
    assert isinstance(made, gate.CompiledModel), made.reason
    again = skops.io.loads(skops.io.dumps(blend), trusted=sorted(TRUSTED_TYPES))
    check_hist_part(again[-1])
    assert np.array_equal(again.predict(data.frame), blend.predict(data.frame))


def test_a_blend_is_judged_on_what_its_parts_said_of_rows_they_did_not_learn_from():
    """Its folds cost no fit, its parts are listed before it though nobody named them, its final model is theirs."""
    data, told = dataset(Task.BINARY), []
    spec = TrainingSpec((BLEND,), "roc_auc", 2, 7, None, repeats=2)
    board = train_candidates(data, split(data, SPEC), spec, progress=lambda *at: told.append(at), seconds=lambda: 0.0)
    entries = {entry.name: entry for entry in board.entries}
    assert entries.keys() == {*PARTS, BLEND, "dummy"}
    # five fits for each part and for the dummy, the blend, and what is kept is fitted once more
    assert told[-1][1:] == (17, 17)
    said = [blended_scores(pair) for pair in zip(*(entries[name].by_fold for name in PARTS), strict=True)]
    auc = next(value for name, value in entries[BLEND].folds.items() if name == "roc_auc")
    assert len(auc) == 4
    assert auc == tuple(board_metric(scores) for scores in said)


@pytest.mark.parametrize("kept", [*PARTS, BLEND, "logistic"])
def test_only_what_is_kept_is_fitted_again(monkeypatch, kept):
    """A blend is kept with both fits of both parts; what is left out stays as it was judged, after one."""
    monkeypatch.setattr(search, "choose", lambda *_: Choice(kept, kept, "", {}))
    data = dataset(Task.BINARY)
    parts, spec = split(data, SPEC), TrainingSpec((BLEND, "logistic"), "roc_auc", 2, 7, None)
    board = train_candidates(data, parts, spec, progress=lambda *_: None, seconds=lambda: 0.0)
    entries = {entry.name: entry for entry in board.entries}
    assert board.winner is entries[kept]
    assert {name: entry.params.get("fits") for name, entry in entries.items() if "fits" in entry.params} == (
        {} if kept == "logistic" else {kept: "2"}
    )
    said = {name: [] for name in PARTS}
    for name, seed in product(PARTS, (7, 8)):
        fitting = Fitting(CANDIDATES[name], data, seed)
        model = fitting.fitted(parts.train, entries[name].point)
        said[name].append(fitting.ask(model, parts.test))
    expected = {name: blended_scores(said[name] if name == kept else said[name][:1]) for name in PARTS}
    each_twice = [scores for name in PARTS for scores in said[name]]
    expected[BLEND] = blended_scores(each_twice if kept == BLEND else [said[name][0] for name in PARTS])
    for name, scores in expected.items():
        assert entries[name].test_scores.proba == pytest.approx(scores.proba, rel=1e-9)
        assert scores_of(entries[name].model, Task.BINARY, data.frame.iloc[parts.test], data.y[parts.test]).proba == (
            pytest.approx(scores.proba, rel=1e-9)
        )
        assert entries[name].measured("roc_auc").value == board_metric(scores)


def test_a_winner_of_one_fit_costs_no_other_and_none_is_told(monkeypatch):
    """What was counted for it is taken off; nobody is told of a fit that was not made."""
    monkeypatch.setattr(search, "choose", lambda *_: Choice("logistic", "logistic", "", {}))
    data, told = dataset(Task.BINARY), []
    spec = TrainingSpec((PARTS[0], "logistic"), "roc_auc", 2, 7, None)
    train_candidates(data, split(data, SPEC), spec, progress=lambda *at: told.append(at), seconds=lambda: 0.0)
    assert told[-1] == ("dummy", 9, 9)
    assert {name for name, _, _ in told} == {PARTS[0], "logistic", "dummy"}


def test_the_parts_of_a_kept_blend_keep_their_order(monkeypatch):
    """Whichever of them ranks higher, the same sum of scores: the same model to the last bit."""
    monkeypatch.setattr(search, "choose", lambda *_: Choice(BLEND, BLEND, "", {}))
    data = dataset(Task.BINARY)
    parts, said = split(data, SPEC), set()
    for order in (lambda _metric, entries: tuple(entries), lambda _metric, entries: tuple(reversed(entries))):
        monkeypatch.setattr(search, "in_order_of_merit", order)
        spec = TrainingSpec((BLEND,), "roc_auc", 2, 7, None)
        board = train_candidates(data, parts, spec, progress=lambda *_: None, seconds=lambda: 0.0)
        said.add(board.winner.test_scores.proba.tobytes())
        assert [part[-1].max_leaf_nodes for part in board.winner.parts] == [31, 12]
    assert len(said) == 1


@pytest.mark.parametrize("kept", [PARTS[0], BLEND])
def test_a_second_fit_that_fails_leaves_the_first(monkeypatch, kept):
    """What was judged is kept as it was judged, and its notes say why; the training does not end there."""
    monkeypatch.setattr(search, "choose", lambda *_: Choice(kept, kept, "", {}))

    def fails(*_):
        raise MemoryError("no room\nfor it")

    monkeypatch.setattr(Fitting, "mean", fails)
    data = dataset(Task.BINARY)
    spec = TrainingSpec((BLEND,), "roc_auc", 2, 7, None)
    board = train_candidates(data, split(data, SPEC), spec, progress=lambda *_: None, seconds=lambda: 0.0)
    assert board.winner.notes == ("kept as one fit: the next one failed (MemoryError: no room)",)
    assert "fits" not in board.winner.params
    assert board.winner.measured("roc_auc").value == board_metric(board.winner.test_scores)


def test_who_reads_held_out_figures_is_told_what_was_fitted_twice(monkeypatch):
    """They stand beside those of one fit."""
    monkeypatch.setattr(search, "choose", lambda *_: Choice(PARTS[0], PARTS[0], "", {}))
    data = dataset(Task.BINARY)
    spec = TrainingSpec((PARTS[0], "logistic"), "roc_auc", 2, 7, None)
    board = train_candidates(data, split(data, SPEC), spec, progress=lambda *_: None, seconds=lambda: 0.0)
    notes = {entry.name: entry.notes for entry in board.entries}
    assert notes[PARTS[0]] == ("held out as the mean of 2 fits, which is kept; the others as one fit",)
    assert notes["logistic"] == ()


def board_metric(scores):
    """Return the area by its definition: how often a positive row stands above a negative one."""
    positive, negative = scores.proba[scores.y == 1, 1], scores.proba[scores.y == 0, 1]
    above = positive[:, None] - negative[None, :]
    return pytest.approx((np.sum(above > 0) + np.sum(above == 0) / 2) / above.size)


def test_what_has_several_members_is_their_mean():
    """Each with a seed of its own, the mean taken before the link; one member is a plain fit."""
    data = dataset(Task.BINARY)
    fitting, rows = Fitting(CANDIDATES[PARTS[1]], data, 7), np.arange(len(data))
    point = {"early_stopping": False, "max_iter": 6}
    apart = [replace(fitting, seed=seed).fitted(rows, point) for seed in (7, 8)]
    said = [fitting.ask(model, rows) for model in apart]
    assert not np.array_equal(said[0].proba, said[1].proba)
    mean = fitting.mean(apart[0], rows, point)
    assert fitting.ask(mean, rows).proba == pytest.approx(blended_scores(said).proba, rel=1e-9)
    alone = replace(fitting, candidate=replace(fitting.candidate, members=1))
    assert alone.mean(apart[0], rows, point) is apart[0]


def test_a_blend_without_a_part_is_a_failure_with_its_reason():
    """What it would be made of failed, and the reason stands there."""
    data = dataset(Task.BINARY)
    broken = TrainingSpec((BLEND, "logistic"), "roc_auc", 2, 7, None)
    board = train_candidates(
        data,
        split(data, SPEC),
        broken,
        progress=lambda *_at: None,
        seconds=lambda: 0.0,
        unservable=lambda model: "it is patient" if model[-1].get_params().get("max_leaf_nodes") == 12 else None,
    )
    reasons = {failure.name: failure.reason for failure in board.failures}
    assert reasons[BLEND] == "DataError: patient_boosting could not be fitted. See why there."
    assert board.winner.name in {"logistic", "hist_gradient_boosting"}


def test_a_blend_brings_its_parts_once_and_has_no_parameters():
    """Parts stand before it; one that was given parameters is another candidate."""
    names = [candidate.name for candidate in candidates_for(Task.BINARY, [BLEND, "logistic", PARTS[1]])]
    assert names == ["logistic", PARTS[1], PARTS[0], BLEND, "dummy"]
    other = {"name": PARTS[0], "max_iter": 50}
    names = [candidate.name for candidate in candidates_for(Task.BINARY, [other, BLEND])]
    assert names == [f"{PARTS[0]}(max_iter=50)", PARTS[0], PARTS[1], BLEND, "dummy"]
    with pytest.raises(ConfigurationError, match="no parameters"):
        candidates_for(Task.BINARY, [{"name": BLEND, "max_iter": 50}])
