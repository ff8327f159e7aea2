"""A report as gauges in Prometheus' text format, in a file that a server or a node exporter shows.

Labels come from closed sets, but for the names of features: beyond a hundred of them, the calmest share one series.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from vigie.alerting.memory import Standing
from vigie.domain.alert import Subject
from vigie.domain.measurement import Verdict
from vigie.loop.alert import findings_of
from vigie.monitoring.window_report import Report

LEVELS: Final = {Verdict.UNKNOWN: -1, Verdict.OK: 0, Verdict.WARN: 1, Verdict.ALARM: 2}
"""A verdict as a number: alert on 2."""

MAX_FEATURES: Final = 100
OTHER: Final = "other"
WINDOW: Final = "window"
"""The subject of the whole report's verdict."""


class VerdictGauges(Collector):
    """The gauges of one report.

    Args:
        report: a window, judged.
        standing: the alerts that are open.
    """

    def __init__(self, report: Report, standing: Sequence[Standing]) -> None:
        self._report = report
        self._standing = standing

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        report = self._report
        whose = [report.model, report.version]
        verdict = GaugeMetricFamily(
            "vigie_verdict",
            "What the watcher last found: -1 unknown, 0 ok, 1 warn, 2 alarm.",
            labels=["model", "version", "subject"],
        )
        verdict.add_metric([*whose, WINDOW], LEVELS[report.verdict])
        for finding in findings_of(report):
            verdict.add_metric([*whose, finding.subject.value], LEVELS[finding.verdict])
        yield verdict
        yield self._features(whose)
        yield self._metrics(whose)
        yield self._alerts()
        rows = GaugeMetricFamily(
            "vigie_window_predictions", "Predictions in the window that was judged.", labels=["model", "version"]
        )
        rows.add_metric(whose, report.n)
        yield rows
        ended = GaugeMetricFamily(
            "vigie_window_end_timestamp_seconds",
            "When the window that was judged ended, since 1970.",
            labels=["model", "version"],
        )
        ended.add_metric(whose, report.window.end.timestamp())
        yield ended

    def _features(self, whose: list[str]) -> Metric:
        """Return a verdict a feature, the gravest first; the rest under one name, with the gravest of theirs."""
        found = GaugeMetricFamily(
            "vigie_feature_verdict",
            "The same for each feature; beyond a hundred, the calmest are one.",
            labels=["model", "version", "feature"],
        )
        ordered = sorted(self._report.features, key=lambda feature: -LEVELS[feature.verdict])
        named, rest = ordered[:MAX_FEATURES], ordered[MAX_FEATURES:]
        if rest:  # a feature of that name joins them: one series must not be told twice
            rest += [feature for feature in named if feature.name == OTHER]
            named = [feature for feature in named if feature.name != OTHER]
        for feature in named:
            found.add_metric([*whose, feature.name], LEVELS[feature.verdict])
        if rest:
            found.add_metric([*whose, OTHER], max(LEVELS[feature.verdict] for feature in rest))
        return found

    def _metrics(self, whose: list[str]) -> Metric:
        found = GaugeMetricFamily(
            "vigie_realised_performance", "Metrics on the outcomes known.", labels=["model", "version", "metric"]
        )
        for pair in self._report.performance.metrics:
            if pair.current.value is not None:
                found.add_metric([*whose, pair.current.name], pair.current.value)
        return found

    def _alerts(self) -> Metric:
        found = GaugeMetricFamily("vigie_open_alerts", "Alerts that are open.", labels=["model", "subject", "severity"])
        for subject in Subject:
            n = sum(standing.latest.subject is subject for standing in self._standing)
            found.add_metric([self._report.model, subject.value, subject.severity.value], n)
        return found


def write_verdicts(path: Path, report: Report, standing: Sequence[Standing]) -> None:
    """Write a report's gauges in place of the last ones; whoever reads sees the old ones or the new ones, whole.

    Raises:
        OSError: the file cannot be written.
    """
    registry = CollectorRegistry()
    registry.register(VerdictGauges(report, standing))
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_bytes(generate_latest(registry))
    fresh.replace(path)
