"""The sequences benchmark: does a rule that looks every hour keep the false-alarm budget that it states?

Every run is a life of a model that is as good as its promise, the promise itself measured on a sample; a rule errs when
it alarms at any look. Then the model gets worse at a known look, and the runs tell how many looks pass until the alarm.
A/B tests are read at every look too. Nothing is timed, so a busy machine changes no figure.

Gates: the upper Clopper-Pearson bound of Vigie's errors is within the budget, in every case.
"""

import sys
from collections.abc import Sequence
from statistics import median

import numpy as np
from scipy.stats import beta

from benchmarks.catalogue import Request
from benchmarks.environments import versions
from benchmarks.findings import Findings, Gate, Goal, Measure, Result, Status
from benchmarks.sequences.cases import (
    BUDGET,
    CASES,
    READ_OUTS,
    RULES,
    Case,
    Experiment,
    Run,
    experiment,
    settled_at,
    simulate,
)

RUNS, QUICK_RUNS = 2_000, 300
LOOKS, QUICK_LOOKS = 50, 12
POWER_RUNS, QUICK_POWER_RUNS = 200, 30
AB_ROWS_A_LOOK, AB_EFFECT = 300, 0.1


def run(request: Request) -> Findings:
    """Simulate every case, once a round, each round from a seed of its own."""
    rounds = request.rounds or 1
    found: dict[tuple[str, str], dict[str, list[float]]] = {}
    for seed in range(rounds):
        for case in CASES:
            request.say(f"round {seed + 1} of {rounds}: {case.name}")
            for rule, measures in judge_case(case, request, seed).items():
                _keep(found, (case.name, rule), measures)
        request.say(f"round {seed + 1} of {rounds}: A/B")
        for rule, measures in judge_experiments(request, seed).items():
            _keep(found, ("A/B, equal and unequal sides", rule), measures)
    results = tuple(
        Result(case, rule, Status.OK, tuple(Measure(name, UNITS[name], tuple(kept)) for name, kept in measures.items()))
        for (case, rule), measures in found.items()
    )
    gates = tuple(
        Gate(f"{case}: errors, upper bound", Goal("", at_most=BUDGET), tuple(measures["at most"]))
        for (case, rule), measures in found.items()
        if rule == "vigie"
    )
    return Findings(rounds, results, gates, {"vigie": versions(sys.executable)})


UNITS = {"errors": "share of runs", "at most": "95 %", "found": "share of runs", "looks until found": ""}
"""Unit of each measure."""


def judge_case(case: Case, request: Request, seed: int) -> dict[str, dict[str, float]]:
    """Return each rule's measures on one case."""
    runs, looks = (QUICK_RUNS, QUICK_LOOKS) if request.quick else (RUNS, LOOKS)
    tries = QUICK_POWER_RUNS if request.quick else POWER_RUNS
    rng = np.random.default_rng([seed, CASES.index(case)])
    changed_from = looks // 2
    errors: dict[str, int] = dict.fromkeys(RULES, 0)
    for _ in range(runs):
        calm = simulate(case, rng, looks)
        for name, rule in RULES.items():
            errors[name] += rule(case, calm) is not None
    delays: dict[str, list[float]] = {name: [] for name in RULES}
    for _ in range(tries):
        changed = simulate(case, rng, looks, changed_from=changed_from)
        for name, rule in RULES.items():
            at = rule(case, _from_change(changed, changed_from) if name == "z-test a look" else changed)
            if at is not None and name == "z-test a look":
                at += changed_from
            if at is not None and at >= changed_from:
                delays[name].append(at - changed_from + 1)
    return {name: _measures(errors[name], runs, delays[name], tries) for name in RULES}


def _from_change(run: Run, start: int) -> Run:
    """Return the run from a look on: a rule that has cried wolf before would otherwise find nothing afterwards."""
    return Run(run.promises, {name: points[start:] for name, points in run.looks.items()})


def judge_experiments(request: Request, seed: int) -> dict[str, dict[str, float]]:
    """Return each read-out's measures on tests of equal and of unequal sides."""
    runs, looks = (QUICK_RUNS, QUICK_LOOKS) if request.quick else (RUNS, LOOKS)
    tries = QUICK_POWER_RUNS if request.quick else POWER_RUNS
    rng = np.random.default_rng([seed, len(CASES)])
    equal = [experiment(rng, looks * AB_ROWS_A_LOOK, 0.0) for _ in range(runs)]
    unequal = [experiment(rng, looks * AB_ROWS_A_LOOK, AB_EFFECT) for _ in range(tries)]
    found = {}
    for name, rule in READ_OUTS.items():
        errors = sum(settled_at(test, rule, looks) is not None for test in equal)
        ends = [settled_at(test, rule, looks) for test in unequal]
        right = [end + 1.0 for end, test in zip(ends, unequal, strict=True) if end is not None and _second_is(test)]
        found[name] = _measures(errors, runs, right, tries)
    return found


def _second_is(test: Experiment) -> bool:
    """Whether the second side, whose true mean is lower, also came out lower in the end."""
    return float(test.second.mean()) < float(test.first.mean())


def _measures(errors: int, runs: int, delays: Sequence[float], tries: int) -> dict[str, float]:
    found = {
        "errors": errors / runs,
        "at most": float(beta.ppf(0.975, errors + 1, runs - errors)) if errors < runs else 1.0,
        "found": len(delays) / tries,
    }
    return found | ({"looks until found": float(median(delays))} if delays else {})


def _keep(
    found: dict[tuple[str, str], dict[str, list[float]]], place: tuple[str, str], measures: dict[str, float]
) -> None:
    kept = found.setdefault(place, {})
    for name, value in measures.items():
        kept.setdefault(name, []).append(value)
