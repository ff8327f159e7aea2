"""Who won, why, and against what: the part of a report that everybody reads."""

from vigie.domain.measurement import Interval
from vigie.evaluation.metrics import ROW_LOSS
from vigie.evaluation.value import PER
from vigie.reporting.parts import Tile
from vigie.reporting.wording import (
    cell,
    count,
    measured,
    metric_name,
    number,
    opening,
    percent,
    span,
    unit_text,
    with_interval,
)
from vigie.training.leaderboard import Entry
from vigie.training.report.comparison import against
from vigie.training.report.decisions import gained
from vigie.training.report.inputs import ReportInputs


def statement(inputs: ReportInputs) -> str:
    """Return the result in one sentence."""
    board = inputs.leaderboard
    item = board.winner.measured(board.metric)
    unit = unit_text(item.unit, inputs.dataset.schema.target.name)
    where = f" {unit}" if unit else ""
    return (
        f"{board.winner.name} wins with {metric_name(board.metric)} {measured(item)}{where} on {item.n:,} "
        "held-out rows."
    )


def reasons(inputs: ReportInputs) -> tuple[str, ...]:
    """Return why it won, and whether the runner-up is really worse."""
    board, name = inputs.leaderboard, metric_name(inputs.leaderboard.metric)
    n_real = len(board.entries) - 1
    chosen = (
        inputs.choice
        or f"Of {count(n_real, 'candidate')} it has the best mean {name} in {inputs.n_folds}-fold cross-validation."
    )
    told = [f"{opening(chosen)} Its mean {name} over the folds is {measured(board.winner.cv)}."]
    second = next((entry for entry in board.entries if entry not in (board.winner, board.dummy)), None)
    if second is not None:
        told.append(_beside(inputs, second))
    return tuple(told)


def warnings(inputs: ReportInputs) -> tuple[str, ...]:
    """Return what a reader must not miss: no gain over the dummy, failures, what was noticed in the data."""
    board, found = inputs.leaderboard, []
    difference = against(inputs, board.dummy)
    if difference.interval.low <= 0:
        found.append(
            f"It does not clearly beat the dummy, which looks at no feature: its {_loss(inputs)} on the "
            f"{inputs.held_out} "
            f"is lower by {with_interval(difference.mean, difference.interval)}."
        )
    found += [f"{failure.name} is left out: {failure.reason}" for failure in board.failures]
    return (*found, *inputs.dataset.warnings)


def tiles(inputs: ReportInputs) -> tuple[Tile, ...]:
    """Return the numbers to take away."""
    board, name = inputs.leaderboard, metric_name(inputs.leaderboard.metric)
    held, cv = board.winner.measured(board.metric), board.winner.cv
    lost = against(inputs, board.dummy)
    found = [
        Tile(
            f"{opening(name)}, held out",
            number(held.value, _half(held.interval)),
            f"{_range(held.interval)}, {_n(held.n)}",
        ),
        Tile(
            f"{opening(name)}, cross-validation",
            number(cv.value, _half(cv.interval)),
            f"{_range(cv.interval)}, {inputs.n_folds} folds, {_n(cv.n)}",
        ),
        Tile(
            f"{opening(_loss(inputs))} below the dummy's",
            number(lost.mean, _half(lost.interval)),
            f"{_range(lost.interval)}, paired, {_n(lost.n)}",
        ),
    ]
    if inputs.value is not None:
        gain = gained(inputs, inputs.value)
        found.append(
            Tile(
                f"{inputs.value.unit} per {PER:,} decisions",
                number(gain.worth.value, _half(gain.worth.interval)),
                f"{_range(gain.worth.interval)}, {_n(gain.worth.n)}; "
                f"{cell(gain.over.value, gain.over.interval)} "
                f"more than {gain.rival}",
            )
        )
    return tuple(found)


def _beside(inputs: ReportInputs, second: Entry) -> str:
    found = against(inputs, second)
    by = f"{_loss(inputs)} minus the winner's is {with_interval(found.mean, found.interval)}"
    if found.interval.low > 0:
        return f"{second.name} is worse on the held-out rows: its {by}."
    if found.interval.high < 0:
        return f"Yet {second.name} is better on the held-out rows, which had no part in the choice: its {by}."
    return f"The {inputs.held_out} cannot tell it from {second.name}, whose {by}."


def _loss(inputs: ReportInputs) -> str:
    return metric_name(ROW_LOSS[inputs.task]) if inputs.task.is_classification else "mean squared error"


def _half(interval: Interval | None) -> float | None:
    return None if interval is None else (interval.high - interval.low) / 2


def _range(interval: Interval | None) -> str:
    return "no interval" if interval is None else f"{percent(interval.level)}: {span(interval.low, interval.high)}"


def _n(n: int) -> str:
    return f"n\u00a0=\u00a0{n:,}"
