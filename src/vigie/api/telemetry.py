"""What Prometheus reads: requests, latencies, answers, warnings, feedback, the model that serves, and the process.

Labels come from closed sets; no value and no id is ever a label. Units are base units: seconds and bytes.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from time import perf_counter

import psutil
from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vigie.api import exchange
from vigie.api.door import caller_of
from vigie.inference.slots import Slots

OTHER = "other"
"""The label of every path and method that is not ours."""

METHODS = frozenset({"GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"})

LATENCY_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

GONE = "499"
"""The code of a request whose client left before the answer (as nginx counts it)."""


class Telemetry:
    """The metrics of one server, in a registry of their own.

    Args:
        slots: who serves, asked at every scrape.
    """

    def __init__(self, slots: Slots) -> None:
        self.registry = CollectorRegistry()
        self.requests = Requests()
        self.registry.register(self.requests)
        self.predictions = Predictions()
        self.registry.register(self.predictions)
        self.warnings = Counter(
            "vigie_prediction_warnings_total",
            "Answers to take with care: values unseen in training.",
            ["kind"],
            registry=self.registry,
        )
        self.feedback = Counter(
            "vigie_feedback_total", "Outcomes received, by what became of them.", ["status"], registry=self.registry
        )
        self.registry.register(_State(slots))

    def exposition(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self.registry)


class Requests(Collector):
    """Requests answered, and how long they took, in plain numbers: only the event loop counts, so nothing is locked."""

    def __init__(self) -> None:
        self._answered: dict[tuple[str, str, str], int] = {}
        self._durations: dict[str, _Durations] = {}

    def note(self, route: str, method: str, code: str, seconds: float) -> None:
        """Count one request.

        Args:
            route: its path, or ``other``; like the next two, from a closed set.
            method: its method, or ``other``.
            code: the status of its answer.
            seconds: from its first byte to the last of its answer.
        """
        labels = (route, method, code)
        self._answered[labels] = self._answered.get(labels, 0) + 1
        durations = self._durations.get(route)
        if durations is None:
            durations = self._durations[route] = _Durations([0] * (len(LATENCY_BUCKETS_S) + 1))
        durations.buckets[bisect_left(LATENCY_BUCKETS_S, seconds)] += 1
        durations.total_s += seconds

    def collect(self) -> Iterator[Metric]:
        """Yield both metrics."""
        answered = CounterMetricFamily(
            "vigie_requests_total", "HTTP requests answered.", labels=["route", "method", "code"]
        )
        for labels, n in list(self._answered.items()):
            answered.add_metric(labels, n)
        yield answered
        took = HistogramMetricFamily(
            "vigie_request_duration_seconds",
            "Time from the first byte of a request to the last of its answer.",
            labels=["route"],
        )
        bounds = [*map(floatToGoString, LATENCY_BUCKETS_S), "+Inf"]
        for route, durations in list(self._durations.items()):
            took.add_metric(
                [route], list(zip(bounds, accumulate(durations.buckets), strict=True)), sum_value=durations.total_s
            )
        yield took


class Predictions(Collector):
    """Predictions answered and logged, counted as requests are."""

    def __init__(self) -> None:
        self._answered: dict[tuple[str, str], int] = {}

    def note(self, model: str, version: str, n: int) -> None:
        """Count the predictions of one request."""
        labels = (model, version)
        self._answered[labels] = self._answered.get(labels, 0) + n

    def collect(self) -> Iterator[Metric]:
        """Yield the metric."""
        answered = CounterMetricFamily(
            "vigie_predictions_total", "Predictions answered and logged.", labels=["model", "version"]
        )
        for labels, n in list(self._answered.items()):
            answered.add_metric(labels, n)
        yield answered


@dataclass(slots=True)
class _Durations:
    buckets: list[int]
    total_s: float = 0.0


class _State(Collector):
    """What is true at the moment of a scrape: the model that serves, and the process."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._process = psutil.Process()

    def collect(self) -> Iterator[Metric]:
        info = GaugeMetricFamily("vigie_model_info", "The model that serves; always 1.", labels=["model", "version"])
        if (model := self._slots.champion) is not None:
            info.add_metric([model.name, model.version], 1)
        yield info
        times = self._process.cpu_times()
        yield CounterMetricFamily(
            "vigie_process_cpu_seconds_total", "CPU time of the server.", value=times.user + times.system
        )
        yield GaugeMetricFamily(
            "vigie_process_resident_memory_bytes", "Resident memory.", value=self._process.memory_info().rss
        )


class Observe:
    """The outermost ASGI layer: names, counts and times every request, and completes the headers of its answer.

    Args:
        app: what it observes.
        telemetry: where it counts.
    """

    def __init__(self, app: ASGIApp, *, telemetry: Telemetry) -> None:
        self._app = app
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and note how it went."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        code, started_at = GONE, perf_counter()
        given = [value for name, value in scope["headers"] if name == exchange.HEADER]
        request_id = exchange.begin(given[0] if given else None)

        async def watched(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = str(message["status"])
                message = {**message, "headers": exchange.complete(message.get("headers", ()), request_id)}
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            route = getattr(scope.get("route"), "path", OTHER)  # as the router found it: a pattern, never what was sent
            method = scope["method"] if scope["method"] in METHODS else OTHER
            took_s = perf_counter() - started_at
            self._telemetry.requests.note(route, method, code, took_s)
            exchange.told(route, method, code, took_s, caller_of(scope).key_id)
