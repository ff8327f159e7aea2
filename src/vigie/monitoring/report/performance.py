"""Realised performance beside what was promised."""

from vigie.domain.measurement import Measurement
from vigie.monitoring.performance import Compared
from vigie.monitoring.report.inputs import PageInputs
from vigie.reporting.marks import Scale, chart, dots, rows, spans
from vigie.reporting.parts import Figure, Section, Table
from vigie.reporting.theme import FIRST, QUIET
from vigie.reporting.wording import (
    NOTHING,
    cell,
    count,
    metric_name,
    number,
    opening,
    percent,
    unit_name,
    unit_text,
)


def performance(inputs: PageInputs) -> Section:
    """Return what the outcomes say, with coverage and delay."""
    found = inputs.report.performance
    known = [pair for pair in found.metrics if pair.current.value is not None and pair.reference is not None]
    return Section(
        anchor="performance",
        title="Is the model still right?",
        text=(f"Verdict: {found.verdict.value}. {found.reason}", _coverage(inputs)),
        figures=tuple(_figure(pair, inputs.target) for pair in known[:2]),
        tables=(_table(found.metrics, inputs.target),),
        notes=(
            *_missing(found.metrics),
            "Only outcomes can tell that a model got worse.",
            "Those judged here arrived in the window, whenever their predictions had been made.",
        ),
    )


def _coverage(inputs: PageInputs) -> str:
    found = inputs.report.performance
    coverage, delay = found.coverage, found.delay
    if coverage.value is None:
        return coverage.reason
    late = f", at the median {number(delay.value)} s after it" if delay.value is not None else ""
    return (
        f"{percent(coverage.value, 1)} of the window's {count(coverage.n, 'prediction')} have an outcome by now{late}. "
        f"Performance is judged from {inputs.min_labelled:,} outcomes on."
    )


def _figure(pair: Compared, target: str) -> Figure:
    name = metric_name(pair.current.name)
    sides = [("at training", pair.reference, QUIET), ("now", pair.current, FIRST)]
    title, layers = f"{name} {unit_text(pair.current.unit, target)}".strip(), []
    for label, item, colour in sides:
        if item is None or item.value is None:
            continue
        if item.interval is not None:
            layers.append(spans(rows(y=[label], low=[item.interval.low], high=[item.interval.high]), colour, width=3))
        layers.append(dots(rows(y=[label], x=[item.value]), colour, size=90))
    return Figure(
        name=f"performance_{pair.current.name}",
        title=f"{opening(name)} now and at training",
        alt=f"{name} now {_cell(pair.current)}, at training {_cell(pair.reference)}.",
        caption=f"Blue: now, n = {pair.current.n:,}. Grey: held out at training"
        f"{f', n = {pair.reference.n:,}' if pair.reference else ''}. Bars: 95 % intervals.",
        spec=chart(
            layers,
            Scale(title),
            Scale("", kind="nominal"),
            height=90,
        ),
    )


def _missing(metrics: tuple[Compared, ...]) -> tuple[str, ...]:
    """Say why a number, or an interval, is not there; without any outcome, the text above has said it."""
    found = [item for pair in metrics for item in (pair.current, pair.reference) if item is not None and item.n]
    told = [item for item in found if item.reason and (item.value is None or item.interval is None)]
    return tuple(dict.fromkeys(f"{opening(metric_name(item.name))}: {item.reason}" for item in told))


def _table(metrics: tuple[Compared, ...], target: str) -> Table:
    return Table(
        caption="Every metric, with 95 % intervals",
        columns=("metric", "unit", "now", "n", "held out at training", "n at training"),
        rows=tuple(
            (
                metric_name(pair.current.name),
                unit_name(pair.current.unit, target) or NOTHING,
                _cell(pair.current),
                f"{pair.current.n:,}",
                _cell(pair.reference),
                f"{pair.reference.n:,}" if pair.reference else NOTHING,
            )
            for pair in metrics
        ),
        n_text=2,
    )


def _cell(item: Measurement | None) -> str:
    return NOTHING if item is None else cell(item.value, item.interval)
