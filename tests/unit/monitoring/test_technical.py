"""How the service does."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy.stats import quantile_test

from vigie.domain.window import Window
from vigie.monitoring.technical import measure_service

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
