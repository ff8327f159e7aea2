"""The service: how fast it answers, how often it fails, and what it uses."""

from typing import Final

from vigie.domain.measurement import Measurement
from vigie.domain.window import Window
from vigie.monitoring.report.inputs import PageInputs
from vigie.monitoring.technical import counted_noun
from vigie.reporting.parts import Section, Table
from vigie.reporting.wording import cell, count

NAMES: Final = {
    "latency_p50": "half of the answers within",
    "latency_p95": "95 of 100 answers within",
    "latency_p99": "99 of 100 answers within",
    "throughput": "predictions answered",
    "error_rate": "requests that failed by the server's fault",
    "cpu": "processor in use",
    "memory": "resident memory",
    "log_depth": "rows that wait for the log",
    "log_sync": "the log's latest commit",
    "gpu": "graphics processor in use",
    "gpu_memory": "memory of graphics processors in use",
}


def service(inputs: PageInputs) -> Section | None:
    """Return what is known of the service; None for a table that nobody served."""
    report = inputs.report
    if all(item.value is None for item in report.technical) and not report.service.counters:
        return None
    return Section(
        anchor="service",
        title="Is the service well?",
        text=(f"Verdict: {report.service.verdict.value}. {report.service.reason}",),
        tables=(
            Table(
                caption="Latency and throughput come from the log, the rest from the server itself; 95 % intervals",
                columns=("quantity", "taken over", "unit", "value", "n"),
                rows=tuple(_line(item, report.window) for item in report.technical),
                n_text=3,
            ),
        ),
    )


def _line(item: Measurement, window: Window) -> tuple[str, ...]:
    named = NAMES.get(item.name, item.name)
    return (
        named,
        _over(item, window),
        "share" if item.unit == "1" else item.unit,
        cell(item.value, item.interval),
        count(item.n, counted_noun(item.name)),
    )


def _over(item: Measurement, window: Window) -> str:
    """Return what a number was taken over, or why there is none."""
    if item.reason and (item.value is None or item.window is None or item.window == window):
        return item.reason
    if item.window is None or item.window == window:
        return "the window"
    since, until = f"{item.window.start:%Y-%m-%d %H:%M:%S} UTC", f"{item.window.end:%H:%M:%S} UTC"
    return f"{item.reason.removesuffix('.')}: {until if item.window.start == item.window.end else since}"
