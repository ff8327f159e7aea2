"""The prediction log benchmark: what it costs that no answer is forgotten.

Each round measures every store in turn, each in a process of its own on a fresh file, so that a slow minute of the disk
hits all of them alike: 64 events in flight for as many as it takes, then 1,000 arrivals a second, timed from arrival.
What is judged is the ratio within a round. The textbook syncs every event; the floor syncs groups and does nothing
else. The files lie in the repository's folder: a temporary folder may be memory, whose syncs cost nothing.

Gates: G1 (throughput against textbook and floor), G2 (latency against the floor's, and in fast mode), G4 (bytes of
write-ahead log per event at groups of 64 on 200,000 events), G5 and G6 (reading and erasing, see ``keeping``).
"""

import sys
from collections.abc import Sequence

from benchmarks.catalogue import Request
from benchmarks.environments import versions
from benchmarks.findings import Findings, Gate, Goal, Measure, Result, Status
from benchmarks.prediction_log import keeping
from benchmarks.processes import ROOT, Answer, Failure, run_child

ROUNDS, QUICK_ROUNDS = 7, 1
SECONDS, QUICK_SECONDS = 5.0, 0.5
DURABLE, FAST, TEXTBOOK, FLOOR = "vigie durable", "vigie fast", "textbook", "floor"
STORES = (FLOOR, DURABLE, TEXTBOOK, FAST)
CLOSED, OPEN, WAL = "64 in flight", "1,000 a second", "WAL"
UNITS = {
    "events_per_s": ("throughput", "events/s"),
    "p50_ms": ("p50", "ms"),
    "p99_ms": ("p99", "ms"),
    "cpu_us": ("CPU", "µs/event"),
    "wal_bytes": ("written", "B/event"),
    "read_cpu_s": ("read", "CPU s/million"),
    "read_wall_s": ("read, wall", "s/million"),
    "read_mb": ("memory", "MB"),
    "jsonl_cpu_s": ("JSON lines", "CPU s/million"),
    "jsonl_wall_s": ("JSON lines, wall", "s/million"),
    "erase_cpu_s": ("erase", "CPU s/million"),
    "erase_wall_s": ("erase, wall", "s/million"),
    "bytes_left": ("left", "copies"),
}
KEPT = ("a million rows", DURABLE)
MOST_WAL_BYTES = 800.0
_TIMEOUT_S = 300.0

Found = dict[tuple[str, str], list[dict[str, float] | Failure]]


def run(request: Request) -> Findings:
    """Measure all stores, round by round."""
    rounds = request.rounds or (QUICK_ROUNDS if request.quick else ROUNDS)
    found: Found = {}
    for number in range(rounds):
        request.say(f"round {number + 1} of {rounds}")
        for case, load in ((CLOSED, "closed"), (OPEN, "open")):
            for store in STORES:
                seconds = QUICK_SECONDS if request.quick else SECONDS
                _measure(found, (case, store), request, {"load": load, "store": store, "seconds": seconds})
        amount = {"preloaded": 20_000, "groups": 50} if request.quick else {"preloaded": 200_000, "groups": 200}
        _measure(found, (WAL, DURABLE), request, {"load": "wal", **amount})
        rows = 20_000 if request.quick else 1_000_000
        _measure(found, KEPT, request, {"load": "keeping", "rows": rows})
    return Findings(
        rounds=rounds,
        results=tuple(_result(case, store, outcomes) for (case, store), outcomes in found.items()),
        gates=(*gates(found), *keeping.gates(found[KEPT])) if not request.quick else gates(found)[-1:],
        versions={"vigie": versions(sys.executable)},
    )


def _measure(found: Found, place: tuple[str, str], request: Request, asked: dict[str, object]) -> None:
    command = [sys.executable, "-m", "benchmarks.prediction_log.child"]
    answer = run_child(command, request={"folder": str(ROOT), **asked}, timeout_s=_TIMEOUT_S)
    value = answer.value if isinstance(answer, Answer) else answer
    found.setdefault(place, []).append(value)
    said = value.why if isinstance(value, Failure) else ", ".join(f"{k} {v:,.1f}" for k, v in value.items())
    request.say(f"  {place[0]}, {place[1]}: {said}")


def _result(case: str, store: str, outcomes: Sequence[dict[str, float] | Failure]) -> Result:
    failures = [outcome.why for outcome in outcomes if isinstance(outcome, Failure)]
    if failures:
        return Result(case, store, Status.FAILED, why=f"{len(failures)} of {len(outcomes)} rounds: {failures[0]}")
    known = [outcome for outcome in outcomes if isinstance(outcome, dict)]
    measures = tuple(Measure(*UNITS[key], tuple(one[key] for one in known)) for key in known[0])
    return Result(case, store, Status.OK, measures)


def gates(found: Found) -> tuple[Gate, ...]:
    """Return the goals of the release, judged."""
    return (
        Gate(
            "G1 durable throughput / JSONL with fsync, 64 in flight",
            Goal("x", at_least=10.0),
            ratios(found, CLOSED, "events_per_s", (DURABLE, TEXTBOOK)),
        ),
        Gate(
            "G1 durable throughput / raw sync floor, 64 in flight",
            Goal("x", at_least=0.4),
            ratios(found, CLOSED, "events_per_s", (DURABLE, FLOOR)),
        ),
        Gate(
            "G2 durable p99 / raw sync floor's, 1,000 a second",
            Goal("x", at_most=2.0),
            ratios(found, OPEN, "p99_ms", (DURABLE, FLOOR)),
        ),
        Gate("G2 fast p99, 1,000 a second", Goal("ms", at_most=5.0), values(found, (OPEN, FAST), "p99_ms")),
        Gate(
            "G4 WAL bytes per event, groups of 64",
            Goal("B", at_most=MOST_WAL_BYTES),
            values(found, (WAL, DURABLE), "wal_bytes"),
        ),
    )


def values(found: Found, place: tuple[str, str], key: str) -> tuple[float | None, ...]:
    """Return one figure per round; None where the store failed."""
    return tuple(outcome[key] if isinstance(outcome, dict) else None for outcome in found[place])


def ratios(found: Found, case: str, key: str, stores: tuple[str, str]) -> tuple[float | None, ...]:
    """Return, per round, the first store's figure over the second's; None where one of them failed."""
    pairs = zip(*(values(found, (case, store), key) for store in stores), strict=True)
    return tuple(None if ours is None or theirs is None else ours / theirs for ours, theirs in pairs)
