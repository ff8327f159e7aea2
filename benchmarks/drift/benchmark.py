"""The drift benchmark: what a full check of 25 columns costs, beside peers, with everything counted on both sides.

Correctness comes first: no time is worth anything while a statistic is wrong. Then every engine, each in an environment
and a process of its own, checks the same windows in turn, round by round, so that a slow minute hits all alike. Times
are CPU times of one thread, data in memory, the first check not counted. Two ratios per peer: with the reference stored
beforehand, as a monitor runs, and with the work on the reference counted on both sides, as a one-off comparison runs.
"""

import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.catalogue import Request
from benchmarks.drift.tables import N_REFERENCE, checksum, make_table
from benchmarks.environments import EnvironmentFailedError, environment, versions
from benchmarks.findings import Findings, Gate, Goal, Measure, Result, Status
from benchmarks.processes import Answer, Failure, run_child

ROUNDS, QUICK_ROUNDS = 7, 1
SIZES, QUICK_SIZES = (10_000, 100_000), (2_000,)
LONGEST_S = 600.0


@dataclass(frozen=True, slots=True)
class Engine:
    """Who checks: a module of ``engines``, where it runs (None for here), and what of it is judged at which size."""

    name: str
    module: str
    environment: str | None = None
    goals: tuple[tuple[int, float], ...] = ()


VIGIE = Engine("vigie", "vigie")
TEXTBOOK = Engine("scipy", "textbook", "drift_scipy", ((100_000, 25.0),))
PEERS = (
    TEXTBOOK,
    Engine("Evidently", "evidently", "drift_evidently", ((10_000, 200.0), (100_000, 50.0))),
    Engine("NannyML", "nannyml", "drift_nannyml"),
    Engine("alibi-detect", "alibi", "drift_alibi"),
    Engine("whylogs", "whylogs", "drift_whylogs", ((100_000, 30.0),)),
)
FASTEST, FASTEST_AT = 4.0, 100_000
UNITS = {
    "check_ms": ("check", "CPU ms"),
    "reference_ms": ("reference, once", "CPU ms"),
    "memory_mib": ("extra memory", "MiB"),
    "n_drifted": ("drifted", "of 25"),
}
ERRORS, COUNTING = "correctness", "counting"
UNITS_OF_CHILDREN = {
    ERRORS: {
        "psi": ("PSI", "error"),
        "ks": ("KS", "error"),
        "chi_square": ("χ²", "error"),
        "cells": ("cells", "wrong"),
    },
    COUNTING: {
        "month_ms": ("a month of hours", "CPU ms"),
        "counted_us": ("counted once", "µs/row"),
        "kernel_ratio": ("counts / np.sort", "x"),
    },
}

Outcome = dict[str, float] | Failure
Found = dict[tuple[str, str], list[Outcome]]
"""Per case and engine, one outcome a round."""


def run(request: Request) -> Findings:
    """Check the statistics, then measure every engine on every window, round by round."""
    rounds = request.rounds or (QUICK_ROUNDS if request.quick else ROUNDS)
    sizes = QUICK_SIZES if request.quick else SIZES
    engines = (VIGIE,) if request.quick else (VIGIE, *PEERS)
    absent = _absent(engines, request)
    found: Found = {}
    with tempfile.TemporaryDirectory(prefix="vigie-benchmark-") as folder:
        for seed in range(rounds):
            request.say(f"round {seed + 1} of {rounds}")
            _measure_ours(found, request, seed)
            for size in sizes:
                _measure(found, engines, absent, _tables(Path(folder), size, seed, request), request)
    return Findings(
        rounds=rounds,
        results=(*(_result(*place, outcomes) for place, outcomes in found.items()), *_ratios(found, engines, sizes)),
        gates=(*_correct(found, sizes[-1]), *_cheap(found), *(() if request.quick else _faster(found))),
        versions={"vigie": versions(sys.executable)}
        | {one.environment: versions(environment(one.environment).python) for one in engines if one.environment},
    )


def _absent(engines: Sequence[Engine], request: Request) -> dict[str, Failure]:
    """Build the environments; return those that cannot be had, with why."""
    found = {}
    for name in [engine.environment for engine in engines if engine.environment]:
        try:
            environment(name).build(request.say)
        except EnvironmentFailedError as exc:
            found[name] = Failure(str(exc))
            request.say(f"{name}: {exc}")
    return found


def _tables(folder: Path, size: int, seed: int, request: Request) -> tuple[str, dict[str, str]]:
    """Write one round's reference and window; return the case and where they are."""
    paths = {}
    for name, n, drifted in (("reference", min(N_REFERENCE, 10 * size), False), ("window", size, True)):
        table = make_table(n, 2 * seed + drifted, drifted=drifted)
        request.say(f"  {name} of {n:,} rows: {checksum(table)}")
        paths[name] = str(folder / f"{name}.parquet")
        pq.write_table(table, paths[name])
    return case_of(size), paths


def case_of(size: int) -> str:
    """Return what a window of ``size`` rows is called."""
    return f"{size:,} x 25"


def _measure(
    found: Found, engines: Sequence[Engine], absent: Mapping[str, Failure], tables: tuple[str, object], request: Request
) -> None:
    case, paths = tables
    for engine in engines:
        python = sys.executable if engine.environment is None else str(environment(engine.environment).python)
        command = [python, "-m", f"benchmarks.drift.engines.{engine.module}"]
        outcome: Outcome | None = absent.get(engine.environment or "")
        if outcome is None:
            answer = run_child(command, request=paths, timeout_s=LONGEST_S, own_path=engine.environment is None)
            outcome = answer.value if isinstance(answer, Answer) else answer
        _keep(found, (case, engine.name), outcome, request)


def _measure_ours(found: Found, request: Request, seed: int) -> None:
    amounts = {"hours": 48, "rows_per_hour": 20} if request.quick else {"hours": 720, "rows_per_hour": 300}
    rows = QUICK_SIZES[-1] if request.quick else SIZES[-1]
    for case, module, asked in (
        (ERRORS, "correctness", {"rows": rows, "seed": seed}),
        (COUNTING, "month", {**amounts, "seed": seed}),
    ):
        command = [sys.executable, "-m", f"benchmarks.drift.{module}"]
        answer = run_child(command, request=asked, timeout_s=LONGEST_S)
        _keep(found, (case, VIGIE.name), answer.value if isinstance(answer, Answer) else answer, request)


def _keep(found: Found, place: tuple[str, str], outcome: Outcome, request: Request) -> None:
    found.setdefault(place, []).append(outcome)
    said = outcome.why if isinstance(outcome, Failure) else ", ".join(f"{k} {v:,.4g}" for k, v in outcome.items())
    request.say(f"  {place[0]}, {place[1]}: {said}")


def _result(case: str, engine: str, outcomes: Sequence[Outcome]) -> Result:
    failures = [outcome.why for outcome in outcomes if isinstance(outcome, Failure)]
    if failures:
        return Result(case, engine, Status.FAILED, why=f"{len(failures)} of {len(outcomes)} rounds: {failures[0]}")
    known = [outcome for outcome in outcomes if isinstance(outcome, dict)]
    units = UNITS_OF_CHILDREN.get(case, UNITS)
    measures = tuple(Measure(*units[key], tuple(one[key] for one in known)) for key in known[0])
    return Result(case, engine, Status.OK, measures)


def _ratios(found: Found, engines: Sequence[Engine], sizes: Sequence[int]) -> list[Result]:
    """Return both ratios of every peer that could be measured."""
    results = []
    for size in sizes:
        for engine in engines[1:]:
            stored, whole = ratios(found, engine, size), ratios(found, engine, size, with_reference=True)
            known = [value for value in (*stored, *whole) if value is not None]
            if len(known) == len(stored) + len(whole):
                measures = (Measure("stored reference", "x", tuple(known[: len(stored)])),
                            Measure("with reference work", "x", tuple(known[len(stored) :])))  # fmt: skip
                results.append(Result(f"{case_of(size)}: time / Vigie's", engine.name, Status.OK, measures))
    return results


def ratios(found: Found, engine: Engine, size: int, *, with_reference: bool = False) -> tuple[float | None, ...]:
    """Return, per round, a peer's CPU time over Vigie's; None where one of them failed."""
    pairs = zip(found[case_of(size), engine.name], found[case_of(size), VIGIE.name], strict=True)
    keys = ("check_ms", "reference_ms") if with_reference else ("check_ms",)
    return tuple(
        sum(theirs[key] for key in keys) / sum(ours[key] for key in keys)
        if isinstance(theirs, dict) and isinstance(ours, dict)
        else None
        for theirs, ours in pairs
    )


def _values(found: Found, case: str, key: str) -> tuple[float | None, ...]:
    return tuple(one[key] if isinstance(one, dict) else None for one in found[case, VIGIE.name])


def _correct(found: Found, size: int) -> tuple[Gate, ...]:
    return (
        Gate("PSI, error against its definition on the rows", Goal("", at_most=1e-12), _values(found, ERRORS, "psi")),
        Gate("KS, error against scipy on the rows", Goal("", at_most=1 / 256 + 1 / size), _values(found, ERRORS, "ks")),
        Gate("χ², relative error against scipy", Goal("", at_most=1e-9), _values(found, ERRORS, "chi_square")),
        Gate("cells that any order or split changes", Goal("", at_most=0.0), _values(found, ERRORS, "cells")),
    )


def _cheap(found: Found) -> tuple[Gate, ...]:
    return (
        Gate("counts / np.sort of the columns", Goal("x", at_most=1.5), _values(found, COUNTING, "kernel_ratio")),
        Gate("a month of hourly counts, judged", Goal("CPU ms", at_most=100.0), _values(found, COUNTING, "month_ms")),
    )


def _faster(found: Found) -> tuple[Gate, ...]:
    named = [
        Gate(f"{engine.name} / vigie, {case_of(size)}", Goal("x", at_least=goal), ratios(found, engine, size))
        for engine in PEERS
        for size, goal in engine.goals
    ]
    by_peer = zip(*(ratios(found, engine, FASTEST_AT) for engine in PEERS), strict=True)
    fastest = tuple(
        min(value for value in one if value is not None) if None not in one else None for one in by_peer
    )  # a peer that failed could have been the fastest
    return (*named, Gate(f"fastest peer / vigie, {case_of(FASTEST_AT)}", Goal("x", at_least=FASTEST), fastest))
