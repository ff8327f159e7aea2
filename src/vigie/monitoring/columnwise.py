"""One column judged over every block that ends with a window: the alarm rule put together."""

from collections.abc import Sequence
from dataclasses import dataclass

from vigie.domain.measurement import Verdict
from vigie.monitoring.blocks import Block
from vigie.monitoring.columns import Column, ColumnCounts
from vigie.monitoring.counts import WindowCounts
from vigie.monitoring.power import rows_needed
from vigie.monitoring.thresholds import AlarmRule, Evidence, Judgement, judge, sharpest, spend
from vigie.monitoring.wander import FEWEST_BLOCKS, SHORTEST, Margin, Wander
from vigie.reporting.wording import count


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What is judged of one column.

    Attributes:
        column: its reference.
        place: its position among the columns of ``WindowCounts``, the prediction being last.
        wander: how much it wanders by itself; None where the reference has no order of time.
        n_reference: rows of the training reference, which ``wander`` was measured on.
    """

    column: Column
    place: int
    wander: Wander | None
    n_reference: int

    def counts(self, window: WindowCounts) -> ColumnCounts:
        """Return this column's counts of a window."""
        return (*window.features, window.prediction)[self.place]


@dataclass(frozen=True, slots=True)
class ColumnVerdict:
    """What the rule says of a column, over all blocks.

    Attributes:
        verdict: ``alarm``, ``warn`` (a notice), ``ok``, or ``unknown`` when nothing can be said.
        reason: one sentence.
        evidence: every test, those of the single window first.
        confirmed: whether an alarm is the second in a row at its scale, where the rule asks for two. Only then is it
            mailed and retrained on.
        is_calendar: whether the column was declared to tell the time, or wanders as if it did.
    """

    verdict: Verdict
    reason: str
    evidence: tuple[Evidence, ...] = ()
    confirmed: bool = False
    is_calendar: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """One column at one block: its counts, the rule as it applies there, and the column's part of the budget."""

    counts: ColumnCounts
    rule: AlarmRule
    alpha: float
    n_columns: int
    windows: int


def judge_column(judged: Judged, blocks: Sequence[Block], rule: AlarmRule, *, n_columns: int) -> ColumnVerdict:
    """Judge one column.

    Args:
        judged: the column.
        blocks: those that end with the window, the window itself first; at least one.
        rule: budget and margins.
        n_columns: how many columns share the budget.
    """
    n = judged.counts(blocks[0].counts).n
    natural = _margin(judged, n)
    is_calendar = judged.column.name in rule.calendar or (natural is not None and natural.is_calendar)
    if judged.wander is not None and natural is None and n >= rule.min_rows:
        needed = FEWEST_BLOCKS * max(n, SHORTEST)
        reason = (
            f"Cannot judge: the reference is shorter than six windows. It has {judged.n_reference:,} rows, {needed:,} "
            f"needed to tell how much this column wanders by itself; judge shorter windows."
        )
        return ColumnVerdict(Verdict.UNKNOWN, reason, is_calendar=is_calendar)
    looks = [_look(judged, block, rule, n_columns) for block in blocks]
    judgements = [_judge(judged, look) for look in looks]
    loudest = _loudest(judgements)
    evidence = tuple(test for judgement in judgements for test in judgement.evidence)
    if loudest.verdict is Verdict.OK and not any(_can_see(judged, look) for look in looks):
        return ColumnVerdict(Verdict.UNKNOWN, _too_few(judged, looks[0]), evidence, is_calendar=is_calendar)
    if loudest.verdict is Verdict.ALARM and judged.column.name in rule.calendar:
        reason = f"Tells the time, so this is a notice and never an alarm. {loudest.reason}"
        return ColumnVerdict(Verdict.WARN, reason, evidence, is_calendar=True)
    confirmed = any(
        _is_confirmed(judged, block, rule, n_columns)
        for block, judgement in zip(blocks, judgements, strict=True)
        if judgement.verdict is Verdict.ALARM
    )
    return ColumnVerdict(loudest.verdict, loudest.reason, evidence, confirmed, is_calendar)


def _margin(judged: Judged, n: int) -> Margin | None:
    """Return what the column does by itself in a window; None where that is not known."""
    if judged.wander is None or not judged.wander.lengths or judged.n_reference < FEWEST_BLOCKS * n:
        return None
    return judged.wander.at(n)


def _look(judged: Judged, block: Block, rule: AlarmRule, n_columns: int) -> _Look:
    counts = judged.counts(block.counts)
    # Merged blocks longer than a sixth of the reference take the margin of its longest ones.
    natural = judged.wander.at(counts.n) if judged.wander and judged.wander.lengths else None
    alpha = spend(rule.false_alarm_budget, look=block.look, scale=block.scale, scales=rule.scales) / n_columns
    return _Look(counts, rule.widened(natural), alpha, n_columns, block.n_windows)


def _judge(judged: Judged, look: _Look) -> Judgement:
    return judge(
        judged.column, look.counts, look.rule, alpha=look.alpha, n_columns=look.n_columns, windows=look.windows
    )


def _loudest(judgements: Sequence[Judgement]) -> Judgement:
    """Return the gravest of what is known, the shortest block's where several are as grave."""
    known = [judgement for judgement in judgements if judgement.verdict is not Verdict.UNKNOWN]
    order = list(Verdict)
    return max(known or judgements, key=lambda judgement: order.index(judgement.verdict))


def _is_confirmed(judged: Judged, block: Block, rule: AlarmRule, n_columns: int) -> bool:
    """Whether the block before alarmed too, at its own part of the budget, where the rule asks for two in a row."""
    if rule.in_a_row == 1:
        return True
    before = block.previous
    return before is not None and _judge(judged, _look(judged, before, rule, n_columns)).verdict is Verdict.ALARM


def _can_see(judged: Judged, look: _Look) -> bool:
    test = sharpest(look.rule, alpha=look.alpha, n_columns=look.n_columns)
    return look.counts.n > 0 and test.shows(look.counts.n, judged.column.counts.n)


def _too_few(judged: Judged, look: _Look) -> str:
    m = judged.column.counts.n
    needed = rows_needed(sharpest(look.rule, alpha=look.alpha, n_columns=look.n_columns), m)
    if needed is None:
        return (
            f"Cannot judge: against {m:,} rows of reference, and what this column does by itself, no window could show "
            f"half a standard deviation; only larger changes would alarm."
        )
    return (
        f"Not enough data yet: {count(look.counts.n, 'row')} in this window; from {needed:,} on, half a standard "
        f"deviation would be seen four times in five."
    )
