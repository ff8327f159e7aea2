"""How the service does."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy.stats import binomtest, quantile_test

from vigie.domain.measurement import Verdict
from vigie.domain.service import ServiceSample
from vigie.domain.window import Window
from vigie.monitoring.technical import UNASKED, ServiceRule, judge_service, measure_server, measure_service

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = Window(START, START + timedelta(minutes=1))


def _by_name(latency, window=MINUTE, n=120):
    return {item.name: item for item in measure_service(latency, window, n)}


def test_percentiles_in_ms_and_rate_per_second():
    """1 to 1,000 ms: the middle is 500.5; 120 answers in a minute are 2 a second."""
    found = _by_name(np.arange(1, 1001) * 1000.0)
    assert (found["latency_p50"].value, found["latency_p50"].unit) == (500.5, "ms")
    assert (found["throughput"].value, found["throughput"].unit) == (2.0, "1/s")


def test_percentile_interval_is_that_of_the_rank():
    """Two-sided 95 %: scipy's quantile test gives the same interval to one rank."""
    values = np.sort(np.random.default_rng(0).lognormal(8, 1, 400))
    interval = _by_name(values)["latency_p95"].interval
    expected = quantile_test(values, p=0.95).confidence_interval(0.95)
    ranks = np.searchsorted(values / 1000, [interval.low, interval.high])
    assert np.abs(ranks - np.searchsorted(values, [expected.low, expected.high])).max() <= 1


def test_rows_without_latency_are_left_out():
    """NaN is "not taken", not zero."""
    found = _by_name(np.array([np.nan, 2000.0, np.nan]))
    assert (found["latency_p50"].value, found["latency_p50"].n) == (2.0, 1)


@pytest.mark.parametrize("latency", [None, np.empty(0), np.array([np.nan])])
def test_no_latency_has_no_percentile(latency):
    """None with a reason."""
    measured = _by_name(latency)["latency_p99"]
    assert (measured.value, measured.n) == (None, 0)
    assert measured.reason


def test_a_window_without_length_has_no_rate():
    """No division by zero."""
    assert _by_name(None, Window(START, START))["throughput"].value is None


NOW = ServiceSample(requests=2_000, failures=40, cpu_s=30.0, started_at_s=7.0, uptime_s=60.0, memory_bytes=2.0**21)


def _server(sample, before):
    return {item.name: item for item in measure_server(sample, before)}


def test_a_server_seen_first_is_measured_since_it_began():
    """2 % of 2,000 requests, with Wilson's interval; half a processor; 2 MiB."""
    found = _server(NOW, {})
    expected = binomtest(40, 2_000).proportion_ci(0.95, method="wilson")
    assert found["error_rate"].value == 0.02
    assert (found["error_rate"].interval.low, found["error_rate"].interval.high) == pytest.approx(tuple(expected))
    assert (found["cpu"].value, found["memory"].value) == (0.5, 2.0)
    assert found["error_rate"].reason == "Since the server began."


def test_a_server_that_began_again_is_not_compared_with_the_one_before():
    """Its counters are its own."""
    assert _server(NOW, {"requests": 9_999, "started_at_s": 6.0})["error_rate"].n == 2_000


def test_a_silent_server_has_no_number_and_says_why():
    """Every measurement holds the reason."""
    found = _server(ServiceSample(trouble="It is away."), NOW.counters())
    assert {item.value for item in found.values()} == {None}
    assert {item.reason for item in found.values()} == {"It is away."}


@pytest.mark.parametrize(
    ("limits", "verdict"),
    [
        (ServiceRule(), Verdict.OK),
        (ServiceRule(max_error_rate=0.05), Verdict.OK),
        (ServiceRule(max_error_rate=0.018), Verdict.WARN),
        (ServiceRule(max_error_rate=0.01), Verdict.ALARM),
        (ServiceRule(max_latency_p99_ms=2_000.0), Verdict.OK),
        (ServiceRule(max_latency_p99_ms=500.0), Verdict.ALARM),
        (ServiceRule(max_error_rate=0.05, max_latency_p99_ms=500.0), Verdict.ALARM),
    ],
)
def test_a_limit_is_broken_when_chance_cannot_explain_it(limits, verdict):
    """The interval beyond the limit alarms; the value alone warns."""
    latency_us = np.arange(1, 1001) * 1000.0
    measured = (*measure_service(latency_us, MINUTE, 1_000), *measure_server(NOW, {}))
    assert judge_service(measured, NOW, limits, 1_000).verdict is verdict


@pytest.mark.parametrize(("declared", "verdict"), [(True, Verdict.ALARM), (False, Verdict.UNKNOWN)])
def test_silence_is_an_alarm_of_a_server_that_was_named(declared, verdict):
    """The default address may have nobody behind it."""
    sample = ServiceSample(trouble="It is away.", declared=declared)
    found = judge_service(measure_server(sample, {}), sample, ServiceRule(), 0)
    assert (found.verdict, found.counters) == (verdict, {})
    assert "It is away." in found.reason


def test_a_service_that_nobody_asked_is_unknown():
    """Neither a limit nor a sample."""
    assert judge_service((), None, ServiceRule(), 0) is UNASKED
