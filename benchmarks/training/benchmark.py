"""The training benchmark: is the default set good enough to be trusted, and what does it cost?

Each round takes new seeds. On each table: split once (a small one four times); ``vigie train`` as a user types it, then
each peer on the same training rows, each in a process of its own with one thread; then each model is asked for the
held-out rows in a fresh process, the way its users serve it, from rows as a client sends them. FLAML and AutoGluon
search for as long as makes their CPU time that of ``vigie train``; the budget follows what the round before has shown,
because theirs counts the clock on the wall. No peer sees a held-out target; Vigie holds out the same rows by itself,
which is checked.

Gates: the CPU time of ``vigie train`` on 50,000 x 30, and on three binary tables the distance in AUC from the best of
LightGBM, XGBoost and CatBoost with 300 rounds.
"""

import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean

from benchmarks.catalogue import Request
from benchmarks.environments import Environment, EnvironmentFailedError, environment, versions
from benchmarks.findings import Findings, Gate, Goal, Measure, Result, Status
from benchmarks.processes import Failure
from benchmarks.training.budget import next_budget
from benchmarks.training.cases import (
    BOOSTERS,
    CASES,
    METRICS,
    QUICK_CASES,
    SCIKIT_LEARN,
    SYNTHETIC,
    VIGIE,
    Case,
    Engine,
    hold_out,
)
from benchmarks.training.trial import Trial, run_trial

ROUNDS, QUICK_ROUNDS = 5, 1
LONGEST_CPU_S = 60.0
MARGIN, QUICK_MARGIN = -0.005, -0.02

SERVING = {
    "first_answer_s": ("first answer", "CPU s"),
    "import_s": ("import", "CPU s"),
    "load_s": ("load", "CPU s"),
    "row_ms": ("1 row", "ms"),
    "batch_ms": ("1,000 rows", "ms"),
    "memory_mib": ("memory", "MiB"),
}
"""Figures of the serving process, as the report calls them."""

Outcomes = Mapping[tuple[str, str], Sequence[Trial | Failure]]
"""Per case and engine, one outcome a round."""


def run(request: Request) -> Findings:
    """Measure all engines on all tables, round by round."""
    cases = QUICK_CASES if request.quick else CASES
    rounds = request.rounds or (QUICK_ROUNDS if request.quick else ROUNDS)
    tables = None if request.quick else environment("tables")
    if tables:
        tables.build(request.say)
    session = Session(tables, _absent(cases, request), request)
    for seed in range(rounds):
        for case in cases:
            request.say(f"round {seed + 1} of {rounds}: {case.name}")
            for part in range(case.splits):
                session.measure(case, seed * case.splits + part)
    names = {engine.environment for case in cases for engine in case.engines if engine.environment} - {*session.absent}
    return Findings(
        rounds=rounds,
        results=tuple(
            result(case, engine, session.outcomes[case.name, engine.name]) for case in cases for engine in case.engines
        ),
        gates=quick_gates(session.outcomes) if request.quick else gates(session.outcomes),
        versions={"vigie": versions(sys.executable)}
        | {name: versions(environment(name).python) for name in sorted(names)},
    )


def _absent(cases: Sequence[Case], request: Request) -> dict[str, Failure]:
    """Build the environments; return those that cannot be had, with why."""
    found = {}
    for name in dict.fromkeys(engine.environment for case in cases for engine in case.engines if engine.environment):
        try:
            environment(name).build(request.say)
        except EnvironmentFailedError as exc:
            found[name] = Failure(str(exc))
            request.say(f"{name}: {exc}")
    return found


class Session:
    """The trials of one run, and what they have shown so far.

    Args:
        tables: holds the real tables; None for the short run.
        absent: environments that could not be built, with why.
        request: takes the progress.
    """

    def __init__(self, tables: Environment | None, absent: dict[str, Failure], request: Request) -> None:
        self.absent = absent
        self.outcomes: dict[tuple[str, str], list[Trial | Failure]] = {}
        self._tables, self._request = tables, request
        self._budgets: dict[tuple[str, str], float] = {}

    def measure(self, case: Case, seed: int) -> None:
        """Measure every engine of one case, Vigie first: its cost is the others' budget."""
        with tempfile.TemporaryDirectory(prefix="vigie-benchmark-") as folder:
            holdout = hold_out(case, seed, Path(folder) / "split", self._tables)
            vigie: Trial | Failure | None = None
            for engine in case.engines:
                place = case.name, engine.name
                if engine.is_budgeted:
                    self._budgets[place] = next_budget(vigie, self._budgets.get(place), self._last(place))
                absent = self.absent.get(engine.environment or "")
                found = absent or run_trial(engine, holdout, budget_s=self._budgets.get(place, 0.0))
                vigie = vigie or found
                self.outcomes.setdefault(place, []).append(found)
                self._request.say(f"  {engine.name}: {_line(found, METRICS[case.task])}")

    def _last(self, place: tuple[str, str]) -> Trial | Failure | None:
        return self.outcomes[place][-1] if place in self.outcomes else None


def _line(found: Trial | Failure, metric: str) -> str:
    if isinstance(found, Failure):
        return f"failed: {found.why}"
    notes = "".join(f", {note}" for note in found.notes)
    return (
        f"{metric} {found.quality:.4f}, {found.train_cpu_s:.1f} CPU s ({found.train_wall_s:.0f} s by the clock){notes}"
    )


def result(case: Case, engine: Engine, found: Sequence[Trial | Failure]) -> Result:
    """Return what one engine did on one table, over all rounds; failed if any round failed."""
    failures = [trial.why for trial in found if isinstance(trial, Failure)]
    if failures:
        why = f"{len(failures)} of {len(found)} rounds: {failures[0]}"
        return Result(case.name, engine.name, Status.FAILED, why=why)
    trials = [trial for trial in found if isinstance(trial, Trial)]
    measures = [
        Measure(METRICS[case.task], "", tuple(trial.quality for trial in trials)),
        Measure("train", "CPU s", tuple(trial.train_cpu_s for trial in trials)),
        Measure("on disk", "MB", tuple(trial.size_mb for trial in trials)),
    ]
    for key, (name, unit) in SERVING.items():
        values = tuple(value for trial in trials if (value := trial.serving[key]) is not None)
        if len(values) == len(trials):
            measures.append(Measure(name, unit, values))
    notes = tuple(dict.fromkeys(note for trial in trials for note in trial.notes))
    return Result(case.name, engine.name, Status.OK, tuple(measures), notes=notes)


def gates(found: Outcomes) -> tuple[Gate, ...]:
    """Return the goals of the release, judged."""
    cpu = tuple(trial.train_cpu_s if isinstance(trial, Trial) else None for trial in found[SYNTHETIC, VIGIE.name])
    cases = [case for case in CASES if set(BOOSTERS) <= set(case.peers)]
    return (
        Gate(f"CPU time of vigie train, {SYNTHETIC} 50,000 rows of 30 features", Goal("s", at_most=LONGEST_CPU_S), cpu),
        *(
            Gate(
                f"AUC on {case.name}, less the best of LightGBM, XGBoost, CatBoost",
                Goal("", at_least=MARGIN),
                differences(found, case, BOOSTERS),
            )
            for case in cases
        ),
    )


def quick_gates(found: Outcomes) -> tuple[Gate, ...]:
    """Return what the short run can judge: the chosen model is no worse than plain boosting on a small table."""
    (case,) = QUICK_CASES
    name = f"AUC on {case.name} (small), less {SCIKIT_LEARN.name}"
    return (Gate(name, Goal("", at_least=QUICK_MARGIN), differences(found, case, (SCIKIT_LEARN,))),)


def differences(found: Outcomes, case: Case, peers: Sequence[Engine]) -> tuple[float | None, ...]:
    """Return, per round, Vigie's quality less the best peer's, the mean over its splits; None where one of them failed.

    A peer that failed could have been the best: without it there is no difference to speak of.
    """
    splits = zip(*(found[case.name, engine.name] for engine in (VIGIE, *peers)), strict=True)
    differences = []
    for trials in splits:
        values = [trial.quality for trial in trials if isinstance(trial, Trial)]
        differences.append(values[0] - max(values[1:]) if len(values) == len(trials) else None)
    rounds = (differences[start : start + case.splits] for start in range(0, len(differences), case.splits))
    return tuple(map(_mean, rounds))


def _mean(differences: Sequence[float | None]) -> float | None:
    known = [difference for difference in differences if difference is not None]
    return fmean(known) if len(known) == len(differences) else None
