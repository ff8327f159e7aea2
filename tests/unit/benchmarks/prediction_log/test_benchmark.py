"""How the prediction log benchmark judges what it measured."""

import pytest

from benchmarks.prediction_log import keeping
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


GOOD = {
    "read_cpu_s": 1.0, "jsonl_cpu_s": 9.0, "read_mb": 200.0, "erase_cpu_s": 0.4, "bytes_left": 0.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("key", "bad", "missed"),
    [("read_cpu_s", 2.0, [0, 1]), ("jsonl_cpu_s", 2.0, [1]), ("read_mb", 900.0, [2]), ("erase_cpu_s", 0.9, [3]),
     ("bytes_left", 1.0, [4])],
)  # fmt: skip
def test_reading_and_erasing_are_judged(key, bad, missed):
    """A log that reads slowly, takes memory, erases slowly or leaves bytes misses those goals, and no others."""
    assert [gate.met for gate in keeping.gates([GOOD, GOOD])] == [True] * 5
    judged = keeping.gates([{**GOOD, key: bad}] * 2)
    assert [place for place, gate in enumerate(judged) if not gate.met] == missed
    assert [gate.met for gate in keeping.gates([Failure("no disk")])] == [None] * 5


def test_keeping_measures_what_it_says(tmp_path):
    """On a few rows: every job does its work, in a process of its own, and nothing of the erased entity is left."""
    found = keeping.measure(tmp_path, 2_000)
    assert found["bytes_left"] == 0.0
    assert min(found[key] for key in ("read_cpu_s", "jsonl_cpu_s", "erase_cpu_s", "read_mb")) > 0
