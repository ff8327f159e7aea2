"""How the serving benchmark judges what it measured."""

import math

import pytest

from benchmarks.processes import Failure
from benchmarks.serving.cases import LINEAR, TREES, linear, trees
from benchmarks.serving.gates import gates
from benchmarks.serving.session import Record, differing
from benchmarks.serving.targets import BENTOML, DURABLE, ECHO, FAST, MLFLOW, MLSERVER, TARGETS, TEXTBOOK
from benchmarks.serving.wrk import read_slice

ROUNDS = 2


def record(**figures):
    """Return an engine's figures, two rounds each."""
    return Record({name: list(values) for name, values in figures.items()})


def found():
    """Return figures that meet every goal."""
    return {
        (LINEAR, ECHO): record(per_s=(20_000, 21_000), p50_1_ms=(0.1, 0.1)),
        (LINEAR, FAST): record(
            per_s=(15_000, 16_000), of_echo=(0.75, 0.76), p50_1_ms=(0.15, 0.2), bulk_rows_per_s=(2e6, 2e6)
        ),
        (LINEAR, DURABLE): record(per_s=(9_000, 10_000)),
        (LINEAR, TEXTBOOK): record(per_s=(200, 200)),
        (LINEAR, MLFLOW): record(per_s=(100, 100), bulk_rows_per_s=(1e5, 1e5)),
        (LINEAR, BENTOML): record(per_s=(150, 150)),
        (LINEAR, MLSERVER): record(per_s=(1_000, 1_000)),
        (TREES, FAST): record(per_s=(12_000, 12_000), start=(1.5,)),
        (TREES, DURABLE): record(rss=(70.0,)),
        (TREES, TEXTBOOK): record(per_s=(100, 100)),
    }


def test_every_goal_can_be_met():
    """Each ratio is taken within its round."""
    judged = gates(found(), ROUNDS)
    assert [gate.met for gate in judged] == [True] * 13
    assert judged[0].values == (75.0, 80.0)


@pytest.mark.parametrize(
    ("place", "name", "values", "missed"),
    [
        ((LINEAR, FAST), "per_s", (15_000, 1_000), 4),
        ((LINEAR, DURABLE), "per_s", (4_000, 4_000), 2),
        ((TREES, FAST), "per_s", (5_000, 5_000), 1),
        ((LINEAR, FAST), "of_echo", (0.6, 0.7), 1),
        ((LINEAR, FAST), "p50_1_ms", (0.1, 0.9), 1),
        ((LINEAR, FAST), "bulk_rows_per_s", (1e6, 1e6), 1),
        ((TREES, FAST), "start", (2.1,), 1),
        ((TREES, DURABLE), "rss", (90.0,), 1),
        ((LINEAR, ECHO), "per_s", (20_000, 40_000), 1),
    ],
)
def test_a_worse_figure_misses_its_goal(place, name, values, missed):
    """And only the goals that speak of it."""
    figures = found()
    figures[place].figures[name] = list(values)
    assert [gate.met for gate in gates(figures, ROUNDS)].count(False) == missed


def test_a_failed_peer_is_not_judged():
    """Whatever figures it had: a peer that fails makes no goal easier."""
    figures = found()
    figures[LINEAR, BENTOML].why = "81 of 100 answers were not 2xx"
    assert [gate.met for gate in gates(figures, ROUNDS)].count(None) == 1
    del figures[LINEAR, MLFLOW]
    assert [gate.met for gate in gates(figures, ROUNDS)].count(None) == 4


def test_any_fault_fails_a_slice():
    """One answer that is not 2xx, or none at all."""
    said = '  Thread stats\n{"requests": 1000, "seconds": 2.0, "faults": %d, "p50_ms": 0.5, "p99_ms": 2.0}\n'
    assert read_slice(said % 0, 1.0).per_s == 500
    assert read_slice(said % 0, 1.9).load_share == 0.95
    assert isinstance(read_slice(said % 1, 1.0), Failure)
    assert isinstance(read_slice((said % 0).replace("1000", "0"), 1.0), Failure)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_requests_hold_the_values_of_a_row(target):
    """Whatever the shape: each value of the row is in it, as it is."""
    body = target.request([{"a": 0.125, "b": "essai"}]).decode()
    assert "0.125" in body
    assert '"essai"' in body


def test_wrong_answers_are_seen():
    """The last bits may differ, no more."""
    assert differing([1.0, 2.0], [1.0, 2.0 * (1 + 1e-12)]) is None
    assert differing([1.0, 2.0], [1.0, 2.0001]) == "1 of 2 answers differ from scikit-learn's"
    assert differing([math.nan], [1.0])


def test_cases_are_what_they_are_called():
    """Ten numbers and a linear model; five numbers, a text and 200 trees of depth 3."""
    a, b = linear(), trees()
    assert (len(a.rows), len(a.rows[0]), a.has_classes) == (100, 10, False)
    assert (len(b.rows[0]), b.has_classes, len(b.bulk)) == (6, True, 10_000)
    assert (b.model[-1].n_estimators_, b.model[-1].max_depth) == (200, 3)
    assert b.answers == b.model.predict_proba(b.table.iloc[:100, :-1])[:, 1].tolist()
