"""The alarm rule: when a column has changed enough to say so, at a stated false-alarm budget.

Two tests a column, a chi-square and a distance, both of "the change is at most the margin", not of "nothing changed": a
large window therefore does not alarm on a change nobody could care about. The budget is shared by union bound over the
columns, the two tests, the scales of merged windows and every look to come, so that the probability of *ever* alarming
without drift stays within it, with no end date. Scale k has a part in proportion to 1 / (k + 1): less for long blocks,
but not so little that what they see better is lost again.

What may be claimed: the bound holds for independent rows (the distance of a categorical column in finite samples, the
rest asymptotically, checked from 100 rows; the strict rule's single test in finite samples for every column). For rows
that follow each other in time there is no such guarantee. An alarm says that the inputs changed, never that the model
got worse.
"""

from dataclasses import dataclass, replace
from functools import cache
from math import log, pi, sqrt
from typing import Any

from vigie.domain.measurement import Verdict
from vigie.errors import ConfigurationError
from vigie.monitoring.blocks import SCALES
from vigie.monitoring.cells import Comparison, compare
from vigie.monitoring.columns import Column, ColumnCounts
from vigie.monitoring.drift.chi_square import chi_square, chi_square_limit
from vigie.monitoring.finite_sample import distribution_noise, variation_noise
from vigie.monitoring.power import HomogeneityTest, StrictTest
from vigie.monitoring.wander import Margin

TESTS = 2
"""Tests that share a column's budget."""


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """What a person decides about drift alarms.

    Attributes:
        false_alarm_budget: probability of ever alarming without drift, in (0, 1).
        psi_margin: stability index up to which a change does not matter, at least 0 (0.02 is about 0.14 sd).
        distance_margin: the same for the distance, a share of rows in [0, 1).
        min_rows: rows below which, on either side, nothing is said; at least 1.
        strict: whether to use the one test whose bound holds in finite samples, and pay for it in power.
        calendar: columns that tell the time; they give notices, never alarms.
        in_a_row: alarms of a column in consecutive blocks of a scale that it takes to be acted on, 1 or 2.
        scales: lengths of merged windows that share the budget; 1 where single windows alone are judged.
    """

    false_alarm_budget: float
    psi_margin: float
    distance_margin: float
    min_rows: int
    strict: bool = False
    calendar: tuple[str, ...] = ()
    in_a_row: int = 2
    scales: int = SCALES

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        _check("false_alarm_budget", self.false_alarm_budget, "above 0 and below 1", 0 < self.false_alarm_budget < 1)
        _check("psi_margin", self.psi_margin, "0 or more", 0 <= self.psi_margin < float("inf"))
        _check("distance_margin", self.distance_margin, "0 or more and below 1", 0 <= self.distance_margin < 1)
        _check("min_rows", self.min_rows, "1 or more", self.min_rows >= 1)
        _check("in_a_row", self.in_a_row, "1 or 2", self.in_a_row in {1, 2})
        _check("scales", self.scales, f"from 1 to {SCALES}", 1 <= self.scales <= SCALES)

    def widened(self, margin: Margin | None) -> "AlarmRule":
        """Return the rule for a column that does so much by itself."""
        if margin is None:
            return self
        psi, distance = max(self.psi_margin, margin.psi), max(self.distance_margin, margin.distance)
        return replace(self, psi_margin=psi, distance_margin=distance)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One test of one column: its statistic, where notice and alarm begin, and over how many windows."""

    statistic: str
    value: float
    notice_over: float
    alarm_over: float
    windows: int = 1

    @property
    def verdict(self) -> Verdict:
        """What this test says alone."""
        if self.value > self.alarm_over:
            return Verdict.ALARM
        return Verdict.WARN if self.value > self.notice_over else Verdict.OK

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "statistic": self.statistic,
            "value": self.value,
            "notice_over": self.notice_over,
            "alarm_over": self.alarm_over,
            "windows": self.windows,
        }


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rule says of a column, in one sentence, with the tests it rests on."""

    verdict: Verdict
    reason: str
    evidence: tuple[Evidence, ...] = ()


def spend(budget: float, *, look: int, scale: int = 0, scales: int = 1) -> float:
    """Return the part of a budget that one look may use.

    Args:
        budget: probability of ever alarming without drift, in (0, 1).
        look: how many windows, or blocks of this length, were judged before, plus one; at least 1.
        scale: blocks of ``2 ** scale`` windows; 0 for single windows.
        scales: how many scales share the budget, scale k in proportion to 1 / (k + 1); 1 where none is merged.

    Returns:
        A level; over every look at every length they add up to ``budget``.

    Raises:
        ValueError: there is no such look or scale.
    """
    if look < 1 or not 0 <= scale < scales:
        raise ValueError(f"looks count from 1 and scales from 0 to {scales - 1}, not {look} and {scale}")
    return budget / (_harmonic(scales) * (scale + 1)) * 6 / (pi * look) ** 2


@cache
def _harmonic(n: int) -> float:
    return sum(1 / (k + 1) for k in range(n))


def judge(
    column: Column, counts: ColumnCounts, rule: AlarmRule, *, alpha: float, n_columns: int = 1, windows: int = 1
) -> Judgement:
    """Say whether a column has changed.

    Args:
        column: the reference.
        counts: a window, or several added up, on its grid.
        rule: margins and the smallest sample.
        alpha: this column's part of the budget at this look: ``spend(...)`` over the number of columns judged.
        n_columns: how many columns share the budget; the strict rule spends a part of it once, on the reference.
        windows: how many were added up, for the reader.

    Returns:
        ``alarm`` when a change beyond the margin is established; ``warn`` when a change is established whose size
        seems beyond it; ``unknown`` when either side has too few rows; else ``ok``.
    """
    for rows, where in ((counts.n, "in this window"), (column.counts.n, "in the reference")):
        if rows < rule.min_rows:
            few = f"{rows:,} row{'' if rows == 1 else 's'} {where}"
            return Judgement(Verdict.UNKNOWN, f"Not enough data yet: {few}, {rule.min_rows:,} needed.")
    comparison = compare(column, counts, split=rule.strict)
    tests: tuple[Evidence, ...]
    if rule.strict:
        tests = (_strict_test(comparison, (column, counts), rule, (alpha / 2, reference_level(rule, n_columns))),)
    else:
        tests = _tests(comparison, rule, alpha / TESTS)
    if windows > 1:
        tests = tuple(replace(test, windows=windows) for test in tests)
    verdict = Verdict.worst(test.verdict for test in tests)
    return Judgement(verdict, _sentence(verdict, tests), tests)


def _tests(comparison: Comparison, rule: AlarmRule, level: float) -> tuple[Evidence, ...]:
    effective = comparison.effective_n
    noise = sqrt(log(2 * comparison.groups / level) / (2 * effective))
    distance = Evidence(
        "distance",
        comparison.distance,
        notice_over=max(rule.distance_margin, noise),
        alarm_over=rule.distance_margin + noise,
    )
    statistic, degrees = chi_square(comparison.reference, comparison.current)
    if degrees < 1:  # a single cell cannot move: only the distance speaks
        return (distance,)
    margin = effective * rule.psi_margin
    homogeneity = Evidence(
        "chi_square",
        statistic,
        notice_over=max(chi_square_limit(level, degrees), margin + degrees),
        alarm_over=chi_square_limit(level, degrees, margin),
    )
    return (distance, homogeneity)


def _strict_test(
    comparison: Comparison, sides: tuple[Column, ColumnCounts], rule: AlarmRule, levels: tuple[float, float]
) -> Evidence:
    """Return the test of "the true distance is at most the margin" that holds for any distribution and any size."""
    column, counts = sides
    here, there = levels
    if comparison.variation is None:
        value, name = comparison.distance, "distance"
        noise = distribution_noise(counts.n, here) + distribution_noise(column.counts.n, there)
    else:
        value, name = comparison.variation, "total_variation"
        m, groups = int(comparison.reference.sum()), comparison.groups
        noise = variation_noise(counts.n, here, groups=groups) + variation_noise(m, there, groups=groups)
    margin = rule.distance_margin
    return Evidence(name, value, notice_over=max(margin, noise), alarm_over=margin + noise)


def reference_level(rule: AlarmRule, n_columns: int) -> float:
    """Return the level of the reference's own noise in the strict rule: half of the budget, spent once."""
    return rule.false_alarm_budget / (2 * n_columns)


def sharpest(rule: AlarmRule, *, alpha: float, n_columns: int) -> HomogeneityTest | StrictTest:
    """Return the test that looks for half a standard deviation, to ask how many rows it needs.

    Args:
        rule: with the column's own margins.
        alpha: the column's part of the budget at this look.
        n_columns: how many columns share the budget.
    """
    if rule.strict:
        return StrictTest(alpha / 2, reference_level(rule, n_columns), rule.distance_margin)
    return HomogeneityTest(alpha / TESTS, rule.psi_margin)


_NAMES = {
    "distance": "largest difference of shares",
    "chi_square": "chi-square",
    "total_variation": "total variation",
}


def _sentence(verdict: Verdict, tests: tuple[Evidence, ...]) -> str:
    loudest = max(tests, key=lambda test: (list(Verdict).index(test.verdict), test.value / test.alarm_over))
    name, value = _NAMES[loudest.statistic], f"{loudest.value:.4g}"
    if loudest.windows > 1:
        name = f"over {loudest.windows} windows, {name}"
    if verdict is Verdict.ALARM:
        return f"Changed: {name} {value} is over {loudest.alarm_over:.4g}."
    if verdict is Verdict.WARN:
        return f"Seems to change: {name} {value} is over {loudest.notice_over:.4g}, not over {loudest.alarm_over:.4g}."
    return f"No change beyond the margin: {name} {value} is not over {loudest.notice_over:.4g}."


def _check(name: str, value: float, wanted: str, ok: bool) -> None:  # noqa: FBT001  private, named at each call
    if not ok:
        raise ConfigurationError(f"{name} is {value}.", remedy=f"Set it to a number {wanted}.", key="monitoring")
