"""The alarm benchmark: does the rule keep its false-alarm budget, and does it see what it must?

Simulated years of 52 windows and 25 columns, without drift and with one too small to matter, each with a reference of
its own; the same years under the rules of others. Real tables whose rows are drawn at random, so that there is nothing
to find. Then the power, and flights in order of time, where rows are not independent and nothing is promised.

Gates: the upper end of a 95 % interval (Clopper-Pearson, one-sided) of the probability of any alarm in a year, at most
the budget; the lower end for the power, at least 95 %.
"""

import sys
from collections.abc import Iterable, Sequence

import numpy as np
from scipy.stats import beta

from benchmarks.alarms.ordered import DAY, RULES, measure_split, splits
from benchmarks.alarms.peers import RULES as PEERS
from benchmarks.alarms.peers import peer_alarms
from benchmarks.alarms.sequences import alarms_by_scale, any_alarm, twice
from benchmarks.alarms.simulated import N_COLUMNS, draw_number, draw_table
from benchmarks.alarms.tables import RealColumn, breast_cancer, columns_of
from benchmarks.catalogue import Request
from benchmarks.environments import environment, versions
from benchmarks.findings import Findings, Gate, Goal, Measure, Result, Status
from benchmarks.tables import real_table
from vigie.monitoring.thresholds import AlarmRule

BUDGET = 0.05
RULE = AlarmRule(false_alarm_budget=BUDGET, psi_margin=0.02, distance_margin=0.05, min_rows=100)
N_WINDOWS = 52
REFERENCE = 5_000
SIZES = (100, 1_000, 10_000)
BENIGN_SD = 0.1
SEQUENCES, QUICK_SEQUENCES, PEER_SEQUENCES, REAL_SEQUENCES, POWER_RUNS = 2_000, 60, 200, 200, 2_000
REAL = ("breast cancer", "flights in order", "diamonds", "ames")
SPLITS_PER_MONTH = 3
LARGE_REFERENCE = 100_000
POWER_CASES = (
    (0.5, 500, 1, REFERENCE, True),
    (0.5, 1_000, 1, REFERENCE, True),
    (0.25, 100, 32, LARGE_REFERENCE, True),
    (0.25, 100, 32, REFERENCE, False),
    (0.25, 100, 64, LARGE_REFERENCE, False),
)
"""Shift, rows, windows, rows of reference, and whether a gate asks for it: 3,200 merged rows against 5,000 tell as much
as 2,000, too little for a quarter of a deviation at what the budget leaves there. That is shown, not asked for; and so
is how long it takes until such a drift alarms twice in a row."""


def run(request: Request) -> Findings:
    """Measure everything; the short run takes 100 rows, no drift, and the table that scikit-learn brings."""
    results, gates = list[Result](), list[Gate]()
    sizes = SIZES[:1] if request.quick else SIZES
    for n in sizes:
        for shift in (0.0,) if request.quick else (0.0, BENIGN_SD):
            several, kept = _simulated(n, shift, request)
            results.extend(several)
            gates.append(kept)
    for result, gate in (*_powers(request), *_real(request)):
        results.append(result)
        gates.extend([gate] if gate else [])
    if not request.quick:
        results.extend(_ordered(request))
    found = {"vigie": versions(sys.executable)}
    if not request.quick:
        found["tables"] = versions(environment("tables").python)
    return Findings(rounds=1, results=tuple(results), gates=tuple(gates), versions=found)


def upper(n_alarms: int, n: int) -> float:
    """Return the 95 % upper bound of a probability.

    Source:
        Clopper and Pearson (1934), The use of confidence or fiducial limits illustrated in the case of the binomial.
    """
    return 1.0 if n_alarms == n else float(beta.ppf(0.95, n_alarms + 1, n - n_alarms))


def lower(n_alarms: int, n: int) -> float:
    """Return the 95 % lower bound of a probability."""
    return 1.0 - upper(n - n_alarms, n)


def _simulated(n: int, shift: float, request: Request) -> tuple[list[Result], Gate]:
    n_sequences = QUICK_SEQUENCES if request.quick else SEQUENCES
    case = f"52 windows of {n:,} rows, {f'{shift:g} sd in every number' if shift else 'no drift'}"
    rng = np.random.default_rng([n, round(100 * shift)])
    alarmed, confirmed, peers = 0, 0, {name: list[float]() for name in PEERS}
    for sequence in range(n_sequences):
        if sequence % 100 == 0:
            request.say(f"{case}: {sequence:,} of {n_sequences:,} years, {alarmed} with an alarm")
        table = draw_table(rng, m=REFERENCE, n=n, n_windows=N_WINDOWS, shift=shift)
        judged = [alarms_by_scale(drawn.column, drawn.windows, RULE, n_columns=N_COLUMNS) for drawn in table]
        alarmed += any(map(any_alarm, judged))
        confirmed += any(map(twice, judged))
        if sequence < PEER_SEQUENCES:
            for name, windows in peer_alarms(table).items():
                peers[name].append(float(windows.mean()))
    results = [
        _counted(case, "vigie", alarmed, n_sequences),
        _counted(case, "vigie, confirmed", confirmed, n_sequences),
    ]
    for name, shares in peers.items():
        n_alarmed = sum(share > 0 for share in shares)
        results.append(_counted(case, name, n_alarmed, len(shares), windows=float(np.mean(shares))))
    return results, _budget_gate(case, alarmed, n_sequences)


def _powers(request: Request) -> Iterable[tuple[Result, Gate | None]]:
    runs = QUICK_SEQUENCES if request.quick else POWER_RUNS
    for shift, n, n_windows, m, is_gated in POWER_CASES[:1] if request.quick else POWER_CASES:
        case = f"{shift:g} sd in one of 25 columns, {n_windows} x {n:,} rows against {m:,}"
        request.say(case)
        rng = np.random.default_rng([n, n_windows, m])
        found = confirmed = 0
        for _ in range(runs):
            drawn = draw_number(rng, m=m, n=n, n_windows=n_windows, shift=shift)
            by_scale = alarms_by_scale(drawn.column, drawn.windows, RULE, n_columns=N_COLUMNS)
            found += any_alarm(by_scale)
            confirmed += twice(by_scale)
        bound = lower(found, runs)
        measures = (
            Measure("found", "", (found / runs,)),
            Measure("95 % lower bound", "", (bound,)),
            Measure("found twice in a row", "", (confirmed / runs,)),
        )
        gate = Gate(f"found: {case}", Goal("", at_least=0.9 if request.quick else 0.95), (bound,))
        yield Result(case, "vigie", Status.OK, measures), gate if is_gated else None


def _real(request: Request) -> Iterable[tuple[Result, Gate]]:
    if not request.quick:
        environment("tables").build(request.say)
    for name in REAL[:1] if request.quick else REAL:
        frame = breast_cancer() if name == REAL[0] else real_table(name, environment("tables")).to_pandas()
        for n in (100,) if request.quick else (100, 500):
            yield _shuffled(name, columns_of(frame), n, request)


def _shuffled(name: str, columns: Sequence[RealColumn], n: int, request: Request) -> tuple[Result, Gate]:
    """Draw reference and windows from the rows of a table, with replacement: independent rows, and no drift."""
    n_rows, n_sequences = len(columns[0].data), QUICK_SEQUENCES if request.quick else REAL_SEQUENCES
    m = min(REFERENCE, 4 * n_rows)
    case = f"{name}, rows at random, 52 windows of {n:,} against {m:,}"
    request.say(case)
    rng = np.random.default_rng([n, n_rows])
    alarmed = 0
    for _ in range(n_sequences):
        own = rng.integers(0, n_rows, m)
        windows = list(rng.integers(0, n_rows, (N_WINDOWS, n)))
        alarmed += any(_alarms(column, own, windows, len(columns)) for column in columns)
    return _counted(case, "vigie", alarmed, n_sequences), _budget_gate(case, alarmed, n_sequences)


def _alarms(column: RealColumn, own: np.ndarray, windows: Sequence[np.ndarray], n_columns: int) -> bool:
    reference = column.summarised(own)
    return any_alarm(alarms_by_scale(reference, column.counted(reference, windows), RULE, n_columns=n_columns))


def _ordered(request: Request) -> list[Result]:
    """Return the table of flights in order of time; it has no gate, because nothing is promised there."""
    flights = real_table("flights in order", environment("tables")).to_pandas()
    results = list[Result]()
    for n in (100, 500, 1_000, DAY):
        case = f"flights in order inside a month, windows of {f'{n:,} rows' if n else 'one day'}"
        found = {rule: list[bool]() for rule in RULES}
        rng = np.random.default_rng(7)
        for place, (rows, is_reference) in enumerate(splits(flights, rng, per_month=SPLITS_PER_MONTH)):
            request.say(f"{case}: split {place + 1}")
            for rule, alarmed in measure_split(rows, is_reference, RULE, n=n).items():
                found[rule].append(alarmed)
        results.extend(_counted(case, rule, sum(alarms), len(alarms)) for rule, alarms in found.items())
    return results


def _counted(case: str, engine: str, n_alarms: int, n: int, *, windows: float | None = None) -> Result:
    measures = [
        Measure("ever alarms", "", (n_alarms / n,)),
        Measure("95 % upper bound", "", (upper(n_alarms, n),)),
    ]
    if windows is not None:
        measures.append(Measure("windows that alarm", "", (windows,)))
    return Result(case, engine, Status.OK, tuple(measures), notes=(f"{n_alarms:,} of {n:,} sequences",))


def _budget_gate(case: str, n_alarms: int, n: int) -> Gate:
    return Gate(f"false alarms: {case}", Goal("", at_most=BUDGET), (upper(n_alarms, n),))
