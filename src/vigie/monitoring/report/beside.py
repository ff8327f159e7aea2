"""What stands beside realised performance: where the model errs more than elsewhere, and what is expected of it."""

from typing import Final

from vigie.domain.measurement import Measurement
from vigie.evaluation.metrics import METRICS
from vigie.monitoring.estimation import BLIND
from vigie.monitoring.report.inputs import PageInputs
from vigie.monitoring.weak_spots import LEVEL, DeclaredSegment
from vigie.reporting.parts import Section, Table
from vigie.reporting.wording import NOTHING, cell, count, metric_name, number, opening, percent, unit_name

_HOW: Final = (
    "Every level of a category and every quarter of a number is compared with all other rows; the chance that any is "
    f"named where all are alike is {percent(LEVEL)}."
)
_KNOWN: Final = (
    "Known: share of the window's own predictions whose outcome is there. Delay: median from prediction to outcome."
)


def segments(inputs: PageInputs) -> Section | None:
    """Return weak spots and declared segments; None where there is nothing to tell."""
    found, known = inputs.report.segments, inputs.report.performance.known
    tables = []
    if found.worst:
        loss = _headed(found.worst[0].loss, inputs)
        tables.append(
            Table(
                caption=f"Weak spots of {count(found.looked_at, 'segment')} compared ({known}), with 95 % intervals",
                columns=("segment", opening(loss), "n", "elsewhere", "n elsewhere"),
                rows=tuple(
                    (
                        f"{item.feature}: {item.level}",
                        _cell(item.loss),
                        f"{item.loss.n:,}",
                        _cell(item.elsewhere),
                        f"{item.elsewhere.n:,}",
                    )
                    for item in found.worst
                ),
            )
        )
    if found.declared:
        names = [_headed(item, inputs) for item in found.declared[0].metrics]
        tables.append(
            Table(
                caption=f"Declared segments ({known}), with 95 % intervals",
                columns=("segment", *names, "n", "known", "delay, s"),
                rows=tuple(_declared(item) for item in found.declared),
            )
        )
    if not tables:
        return None
    return Section(
        anchor="segments",
        title="Where does the model err more?",
        text=(_HOW,),
        tables=tuple(tables),
        notes=(
            "A weak spot may be rows that are hard to tell, not a model that is unfair.",
            *((_KNOWN,) if found.declared else ()),
        ),
    )


def estimate(inputs: PageInputs) -> Section:
    """Return performance as it is expected to be, how the estimate did where outcomes came, or why there is none."""
    found = inputs.report.estimate
    tables = []
    if found.metrics:
        n = found.metrics[0][0].n
        tables.append(
            Table(
                caption=f"Estimates on {count(n, 'prediction')}, no outcome used, with 95 % intervals",
                columns=("metric", "unit", "estimate", "held out at training", "n at training"),
                rows=tuple(
                    (
                        metric_name(item.name),
                        unit_name(item.unit, inputs.target) or NOTHING,
                        _cell(item),
                        _cell(promised),
                        f"{promised.n:,}" if promised else NOTHING,
                    )
                    for item, promised in found.metrics
                ),
                n_text=2,
            )
        )
    if found.trials:
        tables.append(
            Table(
                caption="Tried on the rows whose outcome is known",
                columns=("metric", "unit", "estimated", "came out", "outcomes"),
                rows=tuple(
                    (
                        metric_name(trial.metric),
                        unit_name(METRICS[trial.metric].unit, inputs.target) or NOTHING,
                        number(trial.estimated),
                        number(trial.realised),
                        f"{trial.n:,}",
                    )
                    for trial in found.trials
                ),
                n_text=2,
            )
        )
    return Section(
        anchor="estimate",
        title="What would be expected without outcomes?",
        text=(f"Verdict: {found.verdict.value}. {found.reason}",),
        tables=tuple(tables),
        notes=(BLIND,) if found.metrics else (),
    )


def _headed(item: Measurement, inputs: PageInputs) -> str:
    return ", ".join(filter(None, [metric_name(item.name), unit_name(item.unit, inputs.target)]))


def _declared(item: DeclaredSegment) -> tuple[str, ...]:
    metrics = item.metrics
    found = (*metrics, item.coverage, item.delay)
    n = f"{metrics[0].n:,}"
    cells = [_cell(each) for each in found]
    return (f"{item.feature}: {item.level}", *cells[: len(metrics)], n, *cells[len(metrics) :])


def _cell(item: Measurement | None) -> str:
    return NOTHING if item is None else cell(item.value, item.interval)
