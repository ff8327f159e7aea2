"""What everybody reads of a window: the verdict, the report's own sentences, and a few numbers."""

from typing import Final

from vigie.domain.measurement import Measurement, Verdict
from vigie.monitoring.report.inputs import PageInputs
from vigie.reporting.parts import Tile
from vigie.reporting.wording import cell, count, metric_name, number, opening, percent, span, unit_name

SENTENCES: Final = {
    Verdict.OK: "All is well",
    Verdict.UNKNOWN: "Not enough data yet",
    Verdict.WARN: "Something seems to change",
    Verdict.ALARM: "Something changed",
}


def statement(inputs: PageInputs) -> str:
    """Return the verdict in one sentence."""
    report = inputs.report
    said = SENTENCES[report.verdict]
    if report.performance.verdict is Verdict.ALARM:
        said = "The model got worse"
    elif report.service.verdict is Verdict.ALARM:
        said = "The service is not well"
    return f"{said}: {report.model} version {report.version}, {count(report.n, 'prediction')}."


def reasons(inputs: PageInputs) -> tuple[str, ...]:
    """Return when it was, and what is well or not known."""
    report = inputs.report
    when = f"{opening(report.when)}, look {report.look} at this version."
    calm = () if report.verdict in {Verdict.ALARM, Verdict.WARN} else report.headline
    return (when, *calm)


def warnings(inputs: PageInputs) -> tuple[str, ...]:
    """Return the report's sentences where something is not well, the strongest evidence first."""
    report = inputs.report
    return report.headline if report.verdict in {Verdict.ALARM, Verdict.WARN} else ()


def tiles(inputs: PageInputs) -> tuple[Tile, ...]:
    """Return the numbers to take away."""
    report = inputs.report
    first = report.performance.metrics[0]
    unit, promised = unit_name(first.current.unit, inputs.target), ""
    if first.reference:
        then = cell(first.reference.value, first.reference.interval)
        promised = f"; promised {then}, n\u00a0=\u00a0{first.reference.n:,}"
    judged = [feature for feature in report.features if feature.verdict is not Verdict.UNKNOWN]
    found = [
        Tile("Verdict", report.verdict.value, f"of {count(report.n, 'prediction')}"),
        Tile(
            ", ".join(filter(None, [opening(metric_name(first.current.name)), unit])),
            number(first.current.value),
            f"{_rest(first.current)}{promised}",
        ),
        Tile(
            "Inputs that changed",
            f"{len(report.drifted)} of {len(report.features)}" if judged else "not known",
            f"{len(report.noticed)} more seem to change" if judged else report.features[0].reason,
        ),
    ]
    slowest = next((item for item in report.technical if item.name == "latency_p99" and item.value is not None), None)
    if slowest is not None:
        found.append(Tile("99 of 100 answers within", f"{number(slowest.value)} ms", _rest(slowest)))
    return tuple(found)


def _rest(item: Measurement) -> str:
    if item.value is None:
        return item.reason
    interval = item.interval
    if interval is None:
        return f"n\u00a0=\u00a0{item.n:,}"
    return f"{percent(interval.level)}: {span(interval.low, interval.high)}, n\u00a0=\u00a0{item.n:,}"
