"""The service: how fast it answers, how often it fails, and what it uses."""

from typing import Final

from vigie.domain.measurement import Measurement
from vigie.monitoring.report.inputs import PageInputs
from vigie.reporting.parts import Section, Table
from vigie.reporting.wording import NOTHING, cell

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
                columns=("quantity", "unit", "value", "n", "remark"),
                rows=tuple(_line(item) for item in report.technical),
                n_text=2,
            ),
        ),
    )


def _line(item: Measurement) -> tuple[str, ...]:
    named = NAMES.get(item.name, item.name)
    return (
        named,
        "share" if item.unit == "1" else item.unit,
        cell(item.value, item.interval),
        f"{item.n:,}",
        (item.reason or NOTHING),
    )
