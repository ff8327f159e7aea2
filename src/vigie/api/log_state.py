"""What is true of the way into the prediction log at the moment of a scrape, and since when the process runs."""

from collections.abc import Iterator

import psutil
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from vigie.ports import PredictionWriter


class LogState(Collector):
    """The queue, the latest commit, and the process's start, from which a reader knows that counters began anew.

    Args:
        writer: the way into the log.
    """

    def __init__(self, writer: PredictionWriter) -> None:
        self._writer = writer
        self._started_at_s = psutil.Process().create_time()

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        yield GaugeMetricFamily(
            "vigie_process_start_time_seconds", "When the server began, since 1970.", value=self._started_at_s
        )
        yield GaugeMetricFamily(
            "vigie_log_depth_rows", "Predictions and outcomes that wait for the log.", value=self._writer.depth()
        )
        last = GaugeMetricFamily("vigie_log_last_commit_seconds", "How long the log's latest commit took.")
        if (seconds := self._writer.last_sync_s()) is not None:
            last.add_metric([], seconds)
        yield last
