"""Simulated models whose outcomes come in, look by look, and the rules that judge them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import hypot, pi

import numpy as np
from scipy.stats import norm

from vigie.domain.measurement import Measurement
from vigie.evaluation.intervals import interval
from vigie.evaluation.metrics import METRICS, Scores
from vigie.evaluation.sequences import Sample, anytime_difference
from vigie.monitoring.decline import Point, Promise, find_decline, point_of

BUDGET = 0.05
"""Probability of ever raising a false alarm that every rule is told to keep."""

Draw = Callable[[np.random.Generator, int, float], Scores]
Looks = Mapping[str, Sequence[Point]]


def binary(rng: np.random.Generator, n: int, change: float) -> Scores:
    """Return a right model's probabilities; ``change`` is the share of outcomes that are turned round."""
    proba = 1 / (1 + np.exp(-2.0 * rng.normal(size=n)))
    y = (rng.random(n) < proba) ^ (rng.random(n) < change)
    return Scores(y.astype(np.int64), (proba > 0.5).astype(np.int64), np.column_stack([1 - proba, proba]))


def regression(rng: np.random.Generator, n: int, change: float) -> Scores:
    """Return predictions whose errors have heavy tails (Student's t with 5 degrees); ``change`` widens them."""
    errors = rng.standard_t(5, n) * (1 + change)
    return Scores(errors, np.zeros(n))


@dataclass(frozen=True, slots=True)
class Case:
    """A model, how it was promised, and how it is looked at.

    Attributes:
        name: for the report.
        draw: makes n rows.
        metrics: that decide; they share the budget.
        n_reference: held-out rows that the promise was measured on.
        n_rows: outcomes a look.
        change: what happens to the model in the runs that measure power.
    """

    name: str
    draw: Draw
    metrics: tuple[str, ...]
    n_reference: int
    n_rows: int
    change: float


CASES = (
    Case("binary, 200 outcomes a look", binary, ("roc_auc", "log_loss"), 1_000, 200, 0.12),
    Case("binary, 500 outcomes a look", binary, ("roc_auc", "log_loss"), 4_000, 500, 0.06),
    Case("regression with heavy tails, 200 outcomes a look", regression, ("rmse",), 1_000, 200, 0.25),
)


@dataclass(frozen=True, slots=True)
class Run:
    """One simulated life of a version: the promise, and each metric at each look."""

    promises: Mapping[str, Point]
    looks: Looks


def simulate(case: Case, rng: np.random.Generator, n_looks: int, *, changed_from: int | None = None) -> Run:
    """Return one life; from look ``changed_from`` on the model is worse, None for one that holds."""
    reference = _points(case, case.draw(rng, case.n_reference, 0.0))
    found: dict[str, list[Point]] = {name: [] for name in case.metrics}
    for place in range(n_looks):
        change = case.change if changed_from is not None and place >= changed_from else 0.0
        for name, point in _points(case, case.draw(rng, case.n_rows, change)).items():
            found[name].append(point)
    return Run(reference, found)


def _points(case: Case, scores: Scores) -> dict[str, Point]:
    """Measure as the monitor does: from the interval that a report shows."""
    found = {}
    for name in case.metrics:
        metric = METRICS[name]
        measured = Measurement(
            name, metric.compute(scores), metric.unit, len(scores), interval=interval(metric, scores)
        )
        point = point_of(measured)
        if point is not None:
            found[name] = point
    return found


def sequences(case: Case, run: Run) -> int | None:
    """Return the look at which Vigie's rule alarms, without any margin; None when it never does."""
    promises = {
        name: Promise(
            metric=name,
            point=run.promises[name],
            greater_is_better=METRICS[name].greater_is_better,
            allowed=0.0,
            alpha=BUDGET / len(case.metrics),
            least=case.n_rows,
        )
        for name in case.metrics
    }
    for place in range(len(run.looks[case.metrics[0]])):
        for name, promise in promises.items():
            if find_decline(run.looks[name][: place + 1], promise, before=0).established:
                return place
    return None


def spending(case: Case, run: Run) -> int | None:
    """Return the look at which a z-test a look alarms, look k spending 6 / (pi² k²) of the budget."""
    return _tested(case, run, lambda place: BUDGET * 6 / (pi * (place + 1)) ** 2)


def fixed(case: Case, run: Run) -> int | None:
    """Return the look at which a z-test at the whole level alarms, as a dashboard with intervals invites to."""
    return _tested(case, run, lambda _place: BUDGET)


def _tested(case: Case, run: Run, level: Callable[[int], float]) -> int | None:
    for place in range(len(run.looks[case.metrics[0]])):
        limit = float(norm.isf(level(place) / len(case.metrics)))
        for name in case.metrics:
            look, promise = run.looks[name][place], run.promises[name]
            sign = -1 if METRICS[name].greater_is_better else 1
            if sign * (look.value - promise.value) > limit * hypot(look.error, promise.error):
                return place
    return None


RULES: Mapping[str, Callable[[Case, Run], int | None]] = {
    "vigie": sequences,
    "z-test a look, budget spent": spending,
    "z-test a look": fixed,
}
"""Rules by name; Vigie's is the first."""


@dataclass(frozen=True, slots=True)
class Experiment:
    """One simulated A/B test: losses of both sides in the order of their arrival, shapes (n,)."""

    first: np.ndarray
    second: np.ndarray


def experiment(rng: np.random.Generator, n: int, effect: float) -> Experiment:
    """Return exponential losses, a third of the rows on the second side; ``effect`` lowers its mean of 1."""
    return Experiment(rng.exponential(1.0, 2 * n // 3), rng.exponential(1.0 - effect, n // 3))


def anytime(seen: Experiment) -> bool:
    """Whether Vigie's read-out says that one side is better."""
    found = anytime_difference(Sample(seen.first), Sample(seen.second), level=1 - BUDGET)
    return found is not None and not found.interval.low <= 0 <= found.interval.high


def ordinary(seen: Experiment) -> bool:
    """Whether an interval for one look says so."""
    variance = sum(float(side.var(ddof=1)) / len(side) for side in (seen.first, seen.second))
    difference = abs(float(seen.first.mean()) - float(seen.second.mean()))
    return difference > float(norm.isf(BUDGET / 2)) * float(np.sqrt(variance))


READ_OUTS: Mapping[str, Callable[[Experiment], bool]] = {"vigie": anytime, "z-test a look": ordinary}
"""Read-outs of an A/B test by name; Vigie's is the first."""


def settled_at(test: Experiment, rule: Callable[[Experiment], bool], n_looks: int) -> int | None:
    """Return the first of ``n_looks`` evenly spaced looks at which a rule names a side; None when it never does."""
    for place in range(n_looks):
        share = (place + 1) / n_looks
        ends = round(len(test.first) * share), round(len(test.second) * share)
        if rule(Experiment(test.first[: ends[0]], test.second[: ends[1]])):
            return place
    return None
