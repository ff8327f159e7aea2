"""Declared segments and weak spots found."""

import numpy as np
import pandas as pd

from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.evaluation.metrics import Scores
from vigie.monitoring.weak_spots import MOST, AskedRows, find_weak_spots

SCHEMA = Schema(
    (Feature("town", Kind.CATEGORY), Feature("size", Kind.NUMBER)), Target("late", Task.BINARY, (False, True))
)


def rows(seed, n, *, wrong_in=None):
    """Return rows whose probabilities are right, but turned round in one town."""
    rng = np.random.default_rng(seed)
    town, size = rng.choice(["a", "b", "c", "d"], n), rng.normal(0, 1, n)
    proba = 1 / (1 + np.exp(-2 * size))
    y = (rng.random(n) < proba) ^ (town == wrong_in)
    scores = Scores(y.astype(int), (proba > 0.5).astype(int), np.column_stack([1 - proba, proba]))
    return pd.DataFrame({"town": town.astype(object), "size": size}), scores


def test_the_town_where_the_model_is_wrong_is_found_first():
    """And nothing is said of towns where it is right."""
    found = find_weak_spots(SCHEMA, *rows(1, 2_000, wrong_in="c"), ())
    assert (found.worst[0].feature, found.worst[0].level) == ("town", "c")
    assert all(item.loss.value > item.elsewhere.value for item in found.worst)
    assert {item.level for item in found.worst if item.feature == "town"} == {"c"}
    assert found.looked_at >= 8


def test_where_all_towns_are_alike_none_is_called_weak():
    """Fifty windows in which only the town differs: with the correction, five or fewer name a town."""
    named = [
        any(item.feature == "town" for item in find_weak_spots(SCHEMA, *rows(seed, 600), ()).worst)
        for seed in range(50)
    ]
    assert sum(named) <= 5


def test_most_of_the_rows_are_no_spot():
    """Where one town is easy and all the others are as they were, the easy one is the exception, not the rest."""
    frame, scores = rows(1, 2_000)
    easy = frame["town"].to_numpy() == "a"
    sure = np.where(scores.y == 1, 0.99, 0.01)
    proba = np.where(easy, sure, scores.proba[:, 1])
    found = find_weak_spots(
        SCHEMA, frame.assign(town=np.where(easy, "a", "b").astype(object)),
        Scores(scores.y, scores.predicted, np.column_stack([1 - proba, proba])), (),
    )  # fmt: skip
    assert not any(item.feature == "town" for item in found.worst)


def test_every_row_is_in_a_declared_segment():
    """Every level with all metrics of the task and its own n; a town of one row is told with the rarer ones."""
    frame, scores = rows(1, 300)
    frame.loc[0, "town"] = "z"
    found = find_weak_spots(SCHEMA, frame, scores, ("town",))
    by_level = {item.level: item.metrics for item in found.declared}
    assert sum(metrics[0].n for metrics in by_level.values()) == 300
    assert any("rarer" in level for level in by_level)
    assert len(found.worst) <= MOST


def test_every_declared_segment_has_its_own_coverage_and_delay():
    """Town a has all of its outcomes, town b a quarter, and nobody of town d came back: it is shown all the same."""
    frame, scores = rows(1, 300)
    frame["town"] = np.repeat(["a", "b"], [200, 100]).astype(object)
    asked = pd.concat([frame, frame.iloc[200:], frame.iloc[200:], frame.iloc[200:], frame.iloc[:50]])
    asked["town"] = np.concatenate([asked["town"].to_numpy()[:600], np.repeat(["d"], 50)]).astype(object)
    known = np.arange(len(asked)) < 300
    delays_s = np.repeat([60.0, 3600.0], [200, 100])
    found = find_weak_spots(SCHEMA, frame, scores, ("town",), delays_s=delays_s, asked=AskedRows(asked, known))
    told = {item.level: (item.coverage.value, item.coverage.n, item.delay.value) for item in found.declared}
    assert told == {"a": (1.0, 200, 60.0), "b": (0.25, 400, 3600.0), "d": (0.0, 50, None)}
    (nobody,) = (item for item in found.declared if item.level == "d")
    assert {metric.value for metric in nobody.metrics} == {None}
    assert nobody.coverage.interval.high > 0.01


def test_a_row_that_was_asked_and_is_judged_counts_once():
    """Twenty rows of a town are too few to stand alone, and stay it when the window's own rows are looked at too."""
    frame, scores = rows(1, 300)
    frame["town"] = np.repeat(["a", "b"], [280, 20]).astype(object)
    frame["size"] = np.linspace(-1, 1, 300)
    asked = AskedRows(frame, np.ones(300, dtype=bool))
    alone, beside = (find_weak_spots(SCHEMA, frame, scores, ("town", "size"), asked=each) for each in (None, asked))
    assert [item.level for item in beside.declared] == [item.level for item in alone.declared]
    assert [item.level for item in beside.declared][:2] == ["a", "1 rarer levels"]
    assert sum(item.coverage.n for item in beside.declared) == 600


def test_without_the_rows_that_were_asked_no_coverage_is_told():
    """The metrics stand, and the share says that it is not known."""
    found = find_weak_spots(SCHEMA, *rows(1, 300), ("town",))
    assert {item.coverage.value for item in found.declared} == {None}
    assert min(item.metrics[0].n for item in found.declared) >= 1


def test_a_declared_segment_that_is_no_feature_is_passed_over():
    """A wrong name costs nobody the rest of the report."""
    found = find_weak_spots(SCHEMA, *rows(1, 100), ("sizes", "size"))
    assert {item.feature for item in found.declared} == {"size"}
