"""How the service does."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy.stats import binomtest, quantile_test

from vigie.domain.measurement import Measurement, Verdict
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
    found = _by_name(np.array([np.nan, *[2000.0] * 6, np.nan]))
    assert (found["latency_p50"].value, found["latency_p50"].n) == (2.0, 6)


@pytest.mark.parametrize(("percent", "enough"), [(50, 6), (95, 72), (99, 368)])
def test_a_percentile_is_told_from_the_number_of_answers_that_bound_it(percent, enough):
    """The slowest of n lies below the quantile with probability share**n: both ends need that to be 2.5 % or less."""
    name = f"latency_p{percent}"
    few, found = (_by_name(np.arange(1, n + 1) * 1000.0)[name] for n in (enough - 1, enough))
    assert max((percent / 100) ** enough, 0.025) == 0.025 < (percent / 100) ** (enough - 1)
    assert (few.value, few.n) == (None, enough - 1)
    assert few.reason == f"Needs at least {enough} answers, found {enough - 1}."
    assert found.interval.low < found.value < found.interval.high <= enough


def test_too_few_answers_still_warn_of_a_limit_that_they_break():
    """What the 99th percentile is above is known from fewer: all of a hundred slow answers are a notice, no page."""
    rule = ServiceRule(max_latency_p99_ms=500.0)
    for milliseconds, verdict in ((900.0, Verdict.WARN), (90.0, Verdict.OK)):
        measured = measure_service(np.full(100, milliseconds * 1000), MINUTE, 100)
        assert judge_service(measured, NOW, rule, 100).verdict is verdict
    found = judge_service(measure_service(np.full(100, 9e5), MINUTE, 100), NOW, rule, 100)
    assert found.reason == (
        "latency_p99 is above 900 ms, at most 500 ms is allowed. Needs at least 368 answers, found 100."
    )
    few = judge_service(measure_service(np.full(100, 9e4), MINUTE, 100), None, rule, 100)
    assert few.reason == "latency_p99 is not known. Needs at least 368 answers, found 100."


def test_an_interval_without_an_upper_end_has_none_in_json():
    """JSON has no infinity."""
    item = _by_name(np.full(100, 9e5))["latency_p99"]
    assert item.to_dict()["interval"] == {"low": 900.0, "high": None, "level": 0.95}


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


def test_every_number_of_a_server_says_over_what_it_was_taken():
    """Counters over the time since the last closed window, whatever the report's own; the rest at one moment, n = 1."""
    before = {"requests": 1_500, "failures": 40, "cpu_s": 20.0, "started_at_s": 7.0, "uptime_s": 40.0}
    now = datetime.fromtimestamp(67, UTC)
    found = _server(replace(NOW, gpu=0.5, gpu_memory_bytes=1.0, log_depth=3, log_sync_s=0.1), before)
    since = Window(datetime.fromtimestamp(47, UTC), now)
    assert {name: item.window for name, item in found.items()} == {
        **dict.fromkeys(("error_rate", "cpu"), since),
        **dict.fromkeys(("memory", "log_depth", "log_sync", "gpu", "gpu_memory"), Window(now, now)),
    }
    assert {name: item.n for name, item in found.items() if item.n != 1} == {"error_rate": 500}
    assert [name for name, item in found.items() if not item.reason] == []
    assert found["cpu"].reason == "Since the last closed window."
    assert _server(NOW, {})["cpu"].window == Window(datetime.fromtimestamp(7, UTC), now)
    assert found["error_rate"].to_dict()["window"] == since.to_dict()
    assert Measurement.from_dict(found["error_rate"].to_dict()) == found["error_rate"]


def test_what_the_log_tells_is_of_the_window():
    """In JSON too."""
    assert {item.window for item in measure_service(None, MINUTE, 0)} == {MINUTE}


@pytest.mark.parametrize(
    "sample",
    [replace(NOW, started_at_s=None, uptime_s=None), replace(NOW, requests=0, failures=0), replace(NOW, uptime_s=0.0)],
)
def test_numbers_that_are_not_there_say_why(sample):
    """A server that does not say when it began, that nobody asked, or whose clock was set back."""
    found = _server(sample, {**NOW.counters(), "started_at_s": sample.started_at_s})
    for item in found.values():
        assert item.reason
        assert item.value is not None or item.n == 0
        assert (item.window is None) == (sample.started_at_s is None)


def test_a_broken_limit_says_on_how_many_requests_and_since_when():
    """The sentence is read in a mail, without a table beside it."""
    said = judge_service(measure_server(NOW, {}), NOW, ServiceRule(max_error_rate=0.01), 0).reason
    assert said == (
        "error_rate is 0.02 in 2,000 requests from 1970-01-01 00:00:07 to 1970-01-01 00:01:07 UTC, at most 0.01 is "
        "allowed: more than chance explains."
    )


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
