"""How the prediction log benchmark judges what it measured."""

import pytest

from benchmarks.prediction_log.benchmark import CLOSED, DURABLE, FAST, FLOOR, OPEN, TEXTBOOK, WAL, gates
from benchmarks.prediction_log.child import quantiles
from benchmarks.prediction_log.stores import DIFFERENT, SCHEMA, event
from benchmarks.processes import Failure
from vigie.domain.schema import Kind


def found(**changed):
    """Return two rounds that meet every goal, with changes: ``durable_events_per_s=(1.0, 2.0)``."""
    figures = {
        (CLOSED, DURABLE): {"events_per_s": (5000.0, 6000.0)},
        (CLOSED, TEXTBOOK): {"events_per_s": (400.0, 500.0)},
        (CLOSED, FLOOR): {"events_per_s": (10_000.0, 10_000.0)},
        (OPEN, DURABLE): {"p99_ms": (10.0, 12.0)},
        (OPEN, FLOOR): {"p99_ms": (6.0, 8.0)},
        (OPEN, FAST): {"p99_ms": (3.0, 4.0)},
        (WAL, DURABLE): {"wal_bytes": (700.0, 700.0)},
    }
    rounds = {
        place: [{key: values[number] for key, values in one.items()} for number in range(2)]
        for place, one in figures.items()
    }
    rounds.update({tuple(place.split("/")): outcomes for place, outcomes in changed.items()})
    return rounds


def test_goals_are_ratios_within_a_round():
    """Each round's figures are divided by the same round's, not by medians."""
    judged = {gate.name.split()[0] + gate.goal.unit: gate for gate in gates(found())[:1]}
    assert judged["G1x"].values == (12.5, 12.0)
    assert [gate.met for gate in gates(found())] == [True] * 5


@pytest.mark.parametrize(
    ("place", "missed"),
    [
        (f"{CLOSED}/{DURABLE}", [False, False, True, True, True]),
        (f"{OPEN}/{DURABLE}", [True, True, False, True, True]),
        (f"{OPEN}/{FAST}", [True, True, True, False, True]),
        (f"{WAL}/{DURABLE}", [True, True, True, True, False]),
    ],
)
def test_a_worse_store_misses_its_goals(place, missed):
    """A log that is slow, late or wordy misses the goals that speak of it, and no others."""
    bad = {"events_per_s": 1.0, "p99_ms": 1000.0, "wal_bytes": 5000.0}
    assert [gate.met for gate in gates(found(**{place: [bad, bad]}))] == missed


def test_a_store_that_failed_is_not_judged():
    """Without the textbook's figure there is no ratio to it; the others stand."""
    judged = gates(found(**{f"{CLOSED}/{TEXTBOOK}": [Failure("no disk"), {"events_per_s": 1.0}]}))
    assert [gate.met for gate in judged] == [None, True, True, True, True]


def test_quantiles_are_ranks():
    """The middle and the 99th hundredth of 1 to 101 seconds, in milliseconds."""
    assert quantiles([float(n) for n in range(101, 0, -1)]) == {"p50_ms": 51_000.0, "p99_ms": 100_000.0}


def test_events_fit_their_schema():
    """Every event has ten features of their kinds, and there are as many as are said."""
    types = {Kind.NUMBER: float, Kind.INTEGER: int, Kind.BOOLEAN: bool, Kind.CATEGORY: str}
    for number in range(0, DIFFERENT, 997):
        assert [type(value) for value in event(number)[2]] == [types[feature.kind] for feature in SCHEMA.features]
    assert event(3) is event(DIFFERENT + 3)
