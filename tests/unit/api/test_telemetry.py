"""Metrics of several workers: sums of what is counted, a label for what is one's own, and nothing that goes back."""

import os

import pytest
from prometheus_client.parser import text_string_to_metric_families

from vigie.api.cells import Board
from vigie.api.telemetry import Telemetry, has_ended
from vigie.inference.slots import Slots


def _read(telemetry):
    """Return the samples as Prometheus' own client reads them, labels in the order of their names."""
    families = text_string_to_metric_families(telemetry.exposition().decode())
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


@pytest.fixture
def crew():
    """Return three workers' telemetry on one board."""
    board = Board(3)
    return board, [Telemetry(Slots(), board, worker) for worker in range(3)]


def test_whoever_is_asked_tells_the_sum(crew):
    """Counters, and every bucket of the histogram."""
    _, workers = crew
    for number, worker in enumerate(workers):
        worker.requests.note("/predict", "POST", "200", 0.002 * 10**number)
        worker.predictions.labels("churn", "1").inc(number + 1)
        worker.warnings.labels("unknown-category").inc()
    workers[2].feedback.labels("recorded").inc(4)
    found = [_read(worker) for worker in workers]
    for told in found:
        assert told["vigie_requests_total", "200", "POST", "/predict"] == 3
        assert told["vigie_predictions_total", "churn", "1"] == 6
        assert told["vigie_feedback_total", "recorded"] == 4
        assert told["vigie_request_duration_seconds_count", "/predict"] == 3
        assert told["vigie_request_duration_seconds_sum", "/predict"] == pytest.approx(0.222)
        buckets = [told["vigie_request_duration_seconds_bucket", bound, "/predict"] for bound in ("0.001", "0.0025")]
        assert [*buckets, told["vigie_request_duration_seconds_bucket", "0.025", "/predict"]] == [0, 1, 2]


def test_what_is_a_workers_own_says_whose(crew):
    """Connections, memory, restarts."""
    _, workers = crew
    for number, worker in enumerate(workers):
        worker.look(n_connections=10 * number)
    told = _read(workers[0])
    assert [told["vigie_connections", str(number)] for number in range(3)] == [0, 10, 20]
    assert {told["vigie_process_resident_memory_bytes", str(number)] > 1e6 for number in range(3)} == {True}


def test_no_counter_goes_back_when_a_worker_is_replaced(crew):
    """Its counts and its CPU time stay; its connections and its memory are gone; the restart is counted."""
    board, workers = crew
    workers[1].requests.note("/predict", "POST", "200", 0.01)
    workers[1].look(n_connections=7)
    board.cells(1).put(("pid",), 2**22 + 1)  # no process has this number
    has_ended(board.cells(1), cpu_s=1000.0)
    told = _read(workers[0])
    assert told["vigie_requests_total", "200", "POST", "/predict"] == 1
    assert (told["vigie_connections", "1"], told["vigie_worker_restarts_total", "1"]) == (0, 1)
    assert told["vigie_process_cpu_seconds_total", "1"] == 1000
    assert ("vigie_process_resident_memory_bytes", "1") not in told
    successor = Telemetry(Slots(), board, 1)
    successor.requests.note("/predict", "POST", "200", 0.01)
    later = _read(workers[0])
    assert later["vigie_requests_total", "200", "POST", "/predict"] == 2
    assert later["vigie_process_cpu_seconds_total", "1"] == pytest.approx(1000 + sum(os.times()[:2]), abs=1)


def test_the_versions_that_serve_are_told_once_each(
    crew,
):
    """While a swap is under way there are two; the old one ends with the last worker that has it."""
    board, workers = crew

    class _Model:
        name, version = "churn", "1"

    class _Next(_Model):
        version = "2"

    for worker in workers:
        worker._slots.swap(_Model())
        worker.look()
    workers[0]._slots.swap(_Next())
    told = _read(workers[0])
    assert (told["vigie_model_info", "churn", "1"], told["vigie_model_info", "churn", "2"]) == (1, 1)
    for worker in workers:
        worker._slots.swap(_Next())
        worker.look()
    assert ("vigie_model_info", "churn", "1") not in _read(workers[1])
    assert board.n_workers == 3
