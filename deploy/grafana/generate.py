"""Write the Grafana dashboards: `python deploy/grafana/generate.py`. Their JSON is committed; a test regenerates it.

Three dashboards, one a question of the loop: is the service well, does the data look like the training data, and is
the model still right. Panels are a table here, so that adding one is a line.
"""

from pathlib import Path
from typing import NamedTuple

from grafana_foundation_sdk.builders import dashboard, prometheus, stat, statetimeline, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DataSourceRef, GridPos

FOLDER = Path(__file__).resolve().parent / "dashboards"
SOURCE = DataSourceRef(type_val="prometheus", uid="vigie-prometheus")
WIDTH, HEIGHT = 12, 8

Builder = stat.Panel | statetimeline.Panel | timeseries.Panel
KINDS: dict[str, type[Builder]] = {"stat": stat.Panel, "states": statetimeline.Panel, "lines": timeseries.Panel}


class Panel(NamedTuple):
    """One picture: its title, what it means, its kind, its unit, its expression and how a series is called."""

    title: str
    meaning: str
    kind: str
    unit: str
    expression: str
    legend: str


VERDICT = "-1 unknown, 0 ok, 1 warn, 2 alarm."

DASHBOARDS: dict[str, tuple[str, tuple[Panel, ...]]] = {
    "technical": (
        "Vigie: is the service well?",
        (
            Panel(
                "Model that serves",
                "Which version answers.",
                "stat",
                "none",
                "vigie_model_info == 1",
                "{{model}} {{version}}",
            ),
            Panel(
                "Requests",
                "By status code.",
                "lines",
                "reqps",
                "sum by (code) (rate(vigie_requests_total[$__rate_interval]))",
                "{{code}}",
            ),
            Panel(
                "Failures by the server's fault",
                "Share of 5xx; a page above 2 %.",
                "lines",
                "percentunit",
                "job:vigie_failures:share5m",
                "{{job}}",
            ),
            Panel(
                "Latency of POST /predict, 99th percentile",
                "A notice above 0.5 s.",
                "lines",
                "s",
                "job:vigie_request_duration_seconds:p99_5m",
                "{{job}}",
            ),
            Panel(
                "Waiting for the log",
                "Rows; full means 503.",
                "lines",
                "none",
                "vigie_log_depth_rows",
                "worker {{worker}}",
            ),
            Panel(
                "Latest commit of the log",
                "Time the disk takes.",
                "lines",
                "s",
                "vigie_log_last_commit_seconds",
                "worker {{worker}}",
            ),
            Panel(
                "Memory",
                "Resident, by worker.",
                "lines",
                "bytes",
                "vigie_process_resident_memory_bytes",
                "worker {{worker}}",
            ),
            Panel(
                "CPU",
                "Cores in use, by worker.",
                "lines",
                "none",
                "rate(vigie_process_cpu_seconds_total[$__rate_interval])",
                "worker {{worker}}",
            ),
        ),
    ),
    "data": (
        "Vigie: does the data look like the training data?",
        (
            Panel(
                "Predictions",
                "Answered and logged.",
                "lines",
                "reqps",
                "sum by (model, version) (rate(vigie_predictions_total[$__rate_interval]))",
                "{{model}} {{version}}",
            ),
            Panel("Verdict by subject", VERDICT, "states", "none", "vigie_verdict", "{{subject}}"),
            Panel("Verdict by feature", VERDICT, "states", "none", "vigie_feature_verdict", "{{feature}}"),
            Panel(
                "Open alerts",
                "Confirmed by the alarm rule.",
                "lines",
                "none",
                "sum by (subject, severity) (vigie_open_alerts)",
                "{{subject}} ({{severity}})",
            ),
            Panel(
                "Predictions in the window that was judged",
                "Sample size of the verdicts.",
                "stat",
                "none",
                "vigie_window_predictions",
                "{{model}} {{version}}",
            ),
            Panel(
                "Since the window that was judged",
                "Grows while nobody watches.",
                "stat",
                "s",
                "time() - vigie_window_end_timestamp_seconds",
                "{{model}} {{version}}",
            ),
        ),
    ),
    "business": (
        "Vigie: is the model still right?",
        (
            Panel(
                "Realised performance",
                "On the outcomes known, in the window that was judged.",
                "lines",
                "none",
                "vigie_realised_performance",
                "{{metric}} of {{version}}",
            ),
            Panel(
                "Performance and estimate",
                VERDICT,
                "states",
                "none",
                'vigie_verdict{subject=~"performance|estimate"}',
                "{{subject}}",
            ),
            Panel(
                "Outcomes",
                "What became of them.",
                "lines",
                "reqps",
                "sum by (status) (rate(vigie_feedback_total[$__rate_interval]))",
                "{{status}}",
            ),
            Panel(
                "Alerts that page",
                "What got worse or stopped.",
                "stat",
                "none",
                'sum by (model, subject) (vigie_open_alerts{severity="page"})',
                "{{model}} {{subject}}",
            ),
        ),
    ),
}


def dashboards() -> dict[str, str]:
    """Return the JSON of each dashboard by its file's name."""
    return {f"{name}.json": _encoded(name, *told) for name, told in DASHBOARDS.items()}


def _encoded(name: str, title: str, panels: tuple[Panel, ...]) -> str:
    board = (
        dashboard.Dashboard(title).uid(f"vigie-{name}").tags(["vigie"]).refresh("30s").time("now-6h", "now").readonly()
    )
    for number, panel in enumerate(panels):
        board = board.with_panel(_panel(number, panel))
    return str(JSONEncoder(sort_keys=True, indent=2).encode(board.build())) + "\n"


def _panel(number: int, panel: Panel) -> Builder:
    query = prometheus.Dataquery().expr(panel.expression).legend_format(panel.legend).ref_id("A").datasource(SOURCE)
    place = GridPos(x=WIDTH * (number % 2), y=HEIGHT * (number // 2), w=WIDTH, h=HEIGHT)
    return (
        KINDS[panel.kind]()
        .id(number + 1)
        .title(panel.title)
        .description(panel.meaning)
        .unit(panel.unit)
        .datasource(SOURCE)
        .grid_pos(place)
        .with_target(query)
    )


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for file, text in dashboards().items():
        (FOLDER / file).write_text(text, encoding="utf-8")
