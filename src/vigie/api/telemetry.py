"""What Prometheus reads: requests, latencies, answers, warnings, feedback, the model that serves, and the processes.

Labels come from closed sets; no value and no id is ever a label. Units are base units: seconds and bytes. Counters are
sums over the workers of a server, whichever of them is asked; what belongs to one process says which worker it is.
"""

import os
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from time import perf_counter
from typing import NamedTuple

import psutil
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vigie.api import exchange
from vigie.api.cells import Board, Cells, Name
from vigie.api.door import caller_of
from vigie.inference.slots import Slots
from vigie.ports import PredictionWriter

OTHER = "other"
"""The label of every path and method that is not ours."""

METHODS = frozenset({"GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"})

LATENCY_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

GONE = "499"
"""The code of a request whose client left before the answer (as nginx counts it)."""


class _Meaning(NamedTuple):
    documentation: str
    labels: tuple[str, ...] = ()


REQUESTS, DURATION = "vigie_requests_total", "vigie_request_duration_seconds"
PREDICTIONS, WARNINGS = "vigie_predictions_total", "vigie_prediction_warnings_total"
FEEDBACK, REFUSED = "vigie_feedback_total", "vigie_connections_refused_total"
INFO, CONNECTIONS, RESTARTS = "vigie_model_info", "vigie_connections", "vigie_worker_restarts_total"
DEPTH, COMMIT = "vigie_log_depth_rows", "vigie_log_last_commit_seconds"

COUNTERS: Mapping[str, _Meaning] = {
    REQUESTS: _Meaning("HTTP requests answered.", ("route", "method", "code")),
    PREDICTIONS: _Meaning("Predictions answered and logged.", ("model", "version")),
    WARNINGS: _Meaning("Answers to take with care: values unseen in training.", ("kind",)),
    FEEDBACK: _Meaning("Outcomes received, by what became of them.", ("status",)),
    REFUSED: _Meaning("Connections refused because too many were open."),
}
"""What is counted in all workers together."""

PID, CPU_BEFORE, BEGAN = "pid", "cpu_before", "began"
"""Numbers of a worker that no metric shows as they are: its process, the CPU seconds of those before it, and when the
first of them began, in seconds since 1970."""


class Telemetry:
    """The metrics of one server, in a registry of their own.

    Args:
        slots: who serves, asked once a second and at every scrape.
        board: the numbers of all workers; None for a server that is one process.
        worker: which of them this process is, from 0.
    """

    def __init__(self, slots: Slots, board: Board | None = None, worker: int = 0) -> None:
        board = board or Board()
        self._slots = slots
        self._own = board.cells(worker)
        self._own.put((PID,), os.getpid())
        self._writer: PredictionWriter | None = None
        if (BEGAN,) not in self._own.names():
            self._own.put((BEGAN,), psutil.Process().create_time())
        self.registry = CollectorRegistry()
        self.registry.register(_Sums([board.cells(number) for number in range(board.n_workers)]))
        self.requests = Requests(self._own)
        self.predictions = Counter(self._own, PREDICTIONS)
        self.warnings = Counter(self._own, WARNINGS)
        self.feedback = Counter(self._own, FEEDBACK)
        self.refused = Counter(self._own, REFUSED).labels()

    def attend(self, writer: PredictionWriter) -> None:
        """Tell of this process's way into the log from now on."""
        self._writer = writer

    def look(self, n_connections: int | None = None) -> None:
        """Note what is true now: who serves, the queue into the log and, where given, how many connections are open."""
        model = self._slots.champion
        for name in self._own.names():
            if name[0] == INFO:
                self._own.put(name, 0)
        if model is not None:
            self._own.put((INFO, model.name, model.version), 1)
        if n_connections is not None:
            self._own.put((CONNECTIONS,), n_connections)
        if self._writer is not None:
            self._own.put((DEPTH,), self._writer.depth())
            if (seconds := self._writer.last_sync_s()) is not None:
                self._own.put((COMMIT,), seconds)

    def exposition(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        self.look()
        return generate_latest(self.registry)


class Count:
    """One number that only grows; like all of them, counted on the event loop only, so that nothing is locked."""

    __slots__ = ("_numbers", "_place")

    def __init__(self, cells: Cells, name: Name) -> None:
        self._numbers = cells.numbers
        self._place = cells.place(name)

    def inc(self, n: int = 1) -> None:
        """Count ``n`` more."""
        self._numbers[self._place] += n


class Counter:
    """A metric that counts, by labels.

    Args:
        cells: where this process counts.
        name: of the metric.
    """

    def __init__(self, cells: Cells, name: str) -> None:
        self._cells = cells
        self._name = name
        self._counts: dict[Name, Count] = {}

    def labels(self, *values: str) -> Count:
        """Return the count for some labels, each from a closed set."""
        found = self._counts.get(values)
        if found is None:
            found = self._counts[values] = Count(self._cells, (self._name, *values))
        return found


class Requests:
    """Requests answered, and how long they took.

    Args:
        cells: where this process counts.
    """

    def __init__(self, cells: Cells) -> None:
        self._cells = cells
        self._numbers = cells.numbers
        self._answered: dict[Name, int] = {}
        self._durations: dict[str, int] = {}

    def note(self, route: str, method: str, code: str, seconds: float) -> None:
        """Count one request.

        Args:
            route: its path, or ``other``; like the next two, from a closed set.
            method: its method, or ``other``.
            code: the status of its answer.
            seconds: from its first byte to the last of its answer.
        """
        labels, numbers = (route, method, code), self._numbers
        place = self._answered.get(labels)
        if place is None:
            place = self._answered[labels] = self._cells.place((REQUESTS, *labels))
        numbers[place] += 1
        place = self._durations.get(route)
        if place is None:  # the seconds in all, then the buckets
            place = self._durations[route] = self._cells.place((DURATION, route), len(LATENCY_BUCKETS_S) + 2)
        numbers[place] += seconds
        numbers[place + 1 + bisect_left(LATENCY_BUCKETS_S, seconds)] += 1


class _Sums(Collector):
    """Adds up the workers' numbers at a scrape.

    Args:
        parts: of all workers.
    """

    def __init__(self, parts: Iterable[Cells]) -> None:
        self._parts = list(parts)

    def collect(self) -> Iterator[Metric]:
        """Yield every metric, those without a number yet as well."""
        workers = [part.read() for part in self._parts]
        sums: dict[Name, list[float]] = {}
        for numbers in workers:
            for name, values in numbers.items():
                sums[name] = [a + b for a, b in zip(sums[name], values, strict=True)] if name in sums else values
        for metric, (documentation, labels) in COUNTERS.items():
            family = CounterMetricFamily(metric, documentation, labels=labels)
            for name, (value, *_) in sums.items():
                if name[0] == metric:
                    family.add_metric(name[1:], value)
            yield family
            if metric == REQUESTS:
                yield _durations(sums)
        yield from _of_workers(workers)
        info = GaugeMetricFamily(INFO, "The model that serves; always 1.", labels=["model", "version"])
        for name, (n_workers, *_) in sums.items():
            if name[0] == INFO and n_workers:
                info.add_metric(name[1:], 1)
        yield info


def _durations(sums: Mapping[Name, list[float]]) -> Metric:
    took = HistogramMetricFamily(
        DURATION, "Time from the first byte of a request to the last of its answer.", labels=["route"]
    )
    bounds = [*map(floatToGoString, LATENCY_BUCKETS_S), "+Inf"]
    for name, (total_s, *buckets) in sums.items():
        if name[0] == DURATION:
            took.add_metric(name[1:], list(zip(bounds, accumulate(buckets), strict=True)), sum_value=total_s)
    return took


def _of_workers(workers: Iterable[Mapping[Name, list[float]]]) -> Iterator[Metric]:
    """Yield what is each worker's own; its CPU time goes on where those in its place before it stopped."""
    by = ["worker"]
    n_open = GaugeMetricFamily(CONNECTIONS, "Open connections.", labels=by)
    restarts = CounterMetricFamily(RESTARTS, "Workers started anew after one died.", labels=by)
    cpu = CounterMetricFamily("vigie_process_cpu_seconds_total", "CPU time of the server.", labels=by)
    memory = GaugeMetricFamily("vigie_process_resident_memory_bytes", "Resident memory.", labels=by)
    depth = GaugeMetricFamily(DEPTH, "Predictions and outcomes that wait for the log.", labels=by)
    commit = GaugeMetricFamily(COMMIT, "How long the log's latest commit took.", labels=by)
    began = GaugeMetricFamily("vigie_process_start_time_seconds", "When the server began, since 1970.", labels=by)
    for number, numbers in enumerate(workers):
        label, cpu_s = [str(number)], numbers.get((CPU_BEFORE,), [0.0])[0]
        n_open.add_metric(label, numbers.get((CONNECTIONS,), [0.0])[0])
        for family, name in ((depth, DEPTH), (commit, COMMIT), (began, BEGAN)):
            if (name,) in numbers:
                family.add_metric(label, numbers[name,][0])
        restarts.add_metric(label, numbers.get((RESTARTS,), [0.0])[0])
        pid = int(numbers.get((PID,), [0.0])[0])
        try:
            with (process := psutil.Process(pid)).oneshot():
                cpu_s += sum(process.cpu_times()[:2])
                memory.add_metric(label, process.memory_info().rss)
        except psutil.Error:
            pass  # between its end and its successor
        cpu.add_metric(label, cpu_s)
    yield from (n_open, restarts, cpu, memory, began, depth, commit)


def has_ended(cells: Cells, cpu_s: float) -> None:
    """Note that a worker has died: what it counted stays, what was true of it is so no longer.

    Args:
        cells: its part.
        cpu_s: the CPU time it took.
    """
    cells.add((CPU_BEFORE,), cpu_s)
    cells.put((PID,), 0)
    cells.put((CONNECTIONS,), 0)
    cells.put((DEPTH,), 0)
    cells.add((RESTARTS,), 1)


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
