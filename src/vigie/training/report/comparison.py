"""The candidates side by side: what cross-validation promised, what the held-out rows say, and whether it differs."""

from itertools import chain

import numpy as np

from vigie.evaluation.intervals import LEVEL
from vigie.evaluation.metrics import METRICS, ROW_LOSS, row_losses
from vigie.evaluation.paired import PairedDifference, paired_difference
from vigie.reporting.marks import Layer, Rows, Scale, chart, dots, rows, rule, shifted, spans
from vigie.reporting.parts import Figure, Section, Table
from vigie.reporting.theme import FIRST, MUTED, SECOND
from vigie.reporting.wording import NOTHING, cell, measured, metric_name, number, opening, percent, unit_text
from vigie.training.leaderboard import Entry
from vigie.training.report.inputs import ReportInputs

_CROSS_VALIDATED, _HELD_OUT = "cross-validation", "held out"


def comparison(inputs: ReportInputs) -> Section:
    """Return the leaderboard with its intervals."""
    board, name = inputs.leaderboard, metric_name(inputs.leaderboard.metric)
    better = "Higher" if METRICS[board.metric].greater_is_better else "Lower"
    loss = metric_name(ROW_LOSS[inputs.task]) if inputs.task.is_classification else "squared error"
    return Section(
        anchor="candidates",
        title="Which model, and by how much?",
        text=(
            (
                f"Candidates are ranked by {name} in cross-validation of the training rows, and then judged once "
                "on the "
                f"{inputs.held_out}, which none of them has seen. {better} is better."
            ),
        ),
        figures=(_figure(inputs),),
        tables=(_table(inputs, loss), *_details(inputs)),
        notes=(
            (
                f"The last column compares each candidate with the winner row by row on the {inputs.held_out}: mean "
                f"{loss} "
                "of the candidate minus the winner's, paired bootstrap. An interval that holds zero means that "
                "these rows "
                "cannot tell the two apart. Intervals over folds are a guide: folds share training rows."
            ),
        ),
    )


def against(inputs: ReportInputs, other: Entry) -> PairedDifference:
    """Return by how much the winner's row loss is below another entry's on the held-out rows."""
    return paired_difference(
        row_losses(other.test_scores, inputs.task),
        row_losses(inputs.leaderboard.winner.test_scores, inputs.task),
        rng=np.random.default_rng(inputs.seed),
        level=LEVEL,
    )


def _figure(inputs: ReportInputs) -> Figure:
    board = inputs.leaderboard
    name, unit = metric_name(board.metric), METRICS[board.metric].unit
    real = tuple(entry for entry in board.entries if entry is not board.dummy)
    layers: list[Layer] = list(
        chain.from_iterable(
            _layers(real, board.metric, kind, colour, hollow=hollow)
            for kind, colour, hollow in ((_CROSS_VALIDATED, FIRST, False), (_HELD_OUT, SECOND, True))
        )
    )
    dummy = board.dummy.cv.value
    # a dummy far away would squeeze the candidates into one point
    near = dummy is not None and _is_near(dummy, layers)
    if near:
        layers.insert(0, rule(x=dummy, colour=MUTED))
    title = " ".join(filter(None, [name, unit_text(unit, inputs.dataset.schema.target.name)]))
    listed = "; ".join(f"{entry.name} {measured(entry.cv)}" for entry in board.entries)
    return Figure(
        name="leaderboard",
        title=f"{opening(name)} of every candidate",
        alt=f"{name} in cross-validation, best first: {listed}.",
        caption=f"Filled, blue: mean over {inputs.n_folds} folds of {len(inputs.split.train):,} training rows with "
        f"its {percent(LEVEL)} t interval. Hollow, orange: {inputs.held_out} with their {percent(LEVEL)} interval. "
        f"{'Dashed: the dummy' if near else 'The dummy is off the scale'}, {number(dummy)} in cross-validation.",
        spec=chart(layers, Scale(title), Scale("", kind="nominal"), height=60 + 38 * len(real)),
    )


def _is_near(value: float, layers: list[Layer]) -> bool:
    """Whether a value lies no farther from the marks than they are apart."""
    drawn: Rows = [row for layer in layers for row in layer["data"]["values"]]
    ends: list[float] = [row[key] for row in drawn for key in ("x", "low", "high") if row.get(key) is not None]
    if not ends:
        return False
    reach = max(ends) - min(ends)
    return min(ends) - reach <= value <= max(ends) + reach


def _layers(entries: tuple[Entry, ...], metric: str, kind: str, colour: str, *, hollow: bool) -> list[Layer]:
    found = [(entry.name, entry.cv if kind == _CROSS_VALIDATED else entry.measured(metric)) for entry in entries]
    known = [(name, item) for name, item in found if item.value is not None]
    ranged = [(name, item.interval) for name, item in known if item.interval is not None]
    return [
        shifted(
            spans(
                rows(
                    y=[name for name, _ in ranged],
                    low=[interval.low for _, interval in ranged],
                    high=[interval.high for _, interval in ranged],
                    kind=[kind] * len(ranged),
                ),
                colour,
            )
        ),
        shifted(
            dots(
                rows(y=[name for name, _ in known], x=[item.value for _, item in known], kind=[kind] * len(known)),
                colour,
                size=55,
                hollow=hollow,
            )
        ),
    ]


def _table(inputs: ReportInputs, loss: str) -> Table:
    board = inputs.leaderboard
    name = metric_name(board.metric)
    lines = []
    for entry in board.entries:
        difference = NOTHING
        if entry is not board.winner:
            found = against(inputs, entry)
            difference = cell(found.mean, found.interval)
        kept = NOTHING if entry.n_features_kept is None else f"{entry.n_features_kept} of {entry.n_features_in}"
        label = f"{entry.name} (chosen)" if entry is board.winner else entry.name
        held = entry.measured(board.metric)
        lines.append(
            (label, cell(entry.cv.value, entry.cv.interval), cell(held.value, held.interval), kept, difference)
        )
    return Table(
        caption=f"{name}: cross-validation on {len(inputs.split.train):,} training rows, then {inputs.held_out}. "
        f"In brackets {percent(LEVEL)} intervals.",
        columns=("candidate", f"{name}, {_CROSS_VALIDATED}", f"{name}, {_HELD_OUT}", "features kept",
                 f"{loss} above the winner's"),
        rows=tuple(lines),
    )  # fmt: skip


def _details(inputs: ReportInputs) -> tuple[Table, ...]:
    board = inputs.leaderboard
    metrics = [item.name for item in board.winner.test]
    every = Table(
        caption=f"Every metric on the {inputs.held_out}, with {percent(LEVEL)} intervals",
        columns=("candidate", *map(metric_name, metrics)),
        rows=tuple((entry.name, *[cell(item.value, item.interval) for item in entry.test]) for entry in board.entries),
        folded=True,
    )
    chosen = Table(
        caption="What was chosen or fixed, and what the estimators warned of",
        columns=("candidate", "parameters", "warnings"),
        rows=(
            *((entry.name, _pairs(entry.params), "; ".join(entry.notes) or NOTHING) for entry in board.entries),
            *((failure.name, "left out", failure.reason) for failure in board.failures),
        ),
        n_text=3,
        folded=True,
    )
    return every, chosen


def _pairs(params: dict[str, str]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in params.items()) or NOTHING
