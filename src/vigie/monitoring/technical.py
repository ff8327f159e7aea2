"""How the service does: latency and throughput from the log, errors, processor and memory from the server itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from scipy.stats import binom

from vigie.domain.measurement import Interval, Measurement, Verdict
from vigie.domain.service import ServiceSample
from vigie.domain.window import Window
from vigie.evaluation.intervals import LEVEL, wilson

PERCENTILES: Final = (50, 95, 99)
"""What is reported of latency."""

_NOT_ASKED: Final = "The server was not asked."


@dataclass(frozen=True, slots=True)
class ServiceRule:
    """What the service must keep to; None where nobody says.

    Attributes:
        max_error_rate: share of requests that may fail by the server's fault, in [0, 1).
        max_latency_p99_ms: what 99 of 100 answers must not take longer than.
    """

    max_error_rate: float | None = None
    max_latency_p99_ms: float | None = None


@dataclass(frozen=True, slots=True)
class ServiceReport:
    """How the service does.

    Attributes:
        verdict: ``alarm`` when a named server is silent or a limit is broken beyond chance, ``warn`` when a limit is
            broken but chance could explain it, ``unknown`` when there is nothing to judge by.
        reason: one sentence a limit.
        counters: the server's, for the next look to subtract.
    """

    verdict: Verdict = Verdict.UNKNOWN
    reason: str = _NOT_ASKED
    counters: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"verdict": self.verdict.value, "reason": self.reason, "counters": dict(self.counters)}


UNASKED: Final = ServiceReport()
"""What is known of a service that nobody asked."""


def measure_service(latency_us: np.ndarray | None, window: Window, n_predictions: int) -> tuple[Measurement, ...]:
    """Return latency percentiles in ms and predictions per second.

    Args:
        latency_us: microseconds per answer, shape (k,), NaN where it was not taken; None when it never was.
        window: whose length the throughput is taken over.
        n_predictions: answers given in the window.
    """
    known = np.empty(0) if latency_us is None else np.asarray(latency_us, dtype=np.float64)
    ordered_ms = np.sort(known[np.isfinite(known)]) / 1000
    seconds = (window.end - window.start).total_seconds()
    rate = n_predictions / seconds if seconds > 0 else None
    throughput = Measurement(
        "throughput", rate, "1/s", n_predictions, reason="" if seconds > 0 else "The window has no length."
    )
    return (*(_percentile(ordered_ms, percent) for percent in PERCENTILES), throughput)


def measure_server(sample: ServiceSample, before: Mapping[str, Any]) -> tuple[Measurement, ...]:
    """Return error rate, processor, memory and the log's queue of a server, and its graphics processors if any.

    Counters are compared with those of an earlier look at the same process, or else taken since it began.

    Args:
        sample: what the server says now.
        before: ``ServiceReport.counters`` of the last closed window; empty for none.
    """
    same = bool(before) and before.get("started_at_s") == sample.started_at_s
    reason = sample.trouble or ("" if same else "Since the server began.")
    requests, failures, cpu_s, up_s = (
        _grown(now, before.get(name) if same else 0.0)
        for name, now in (
            ("requests", sample.requests),
            ("failures", sample.failures),
            ("cpu_s", sample.cpu_s),
            ("uptime_s", sample.uptime_s),
        )
    )
    n = int(requests or 0)
    rate = failures / n if failures is not None and n else None
    interval = wilson(int(failures), n) if failures is not None and n else None
    share = cpu_s / up_s if cpu_s is not None and up_s else None
    unasked = reason if n else sample.trouble or "No request was answered."
    return (
        Measurement("error_rate", rate, "1", n, interval=interval, reason=unasked),
        Measurement("cpu", share, "cores", n, reason=reason),
        Measurement("memory", _scaled(sample.memory_bytes, 2**-20), "MiB", n, reason=sample.trouble),
        Measurement("log_depth", sample.log_depth, "rows", n, reason=sample.trouble),
        Measurement("log_sync", _scaled(sample.log_sync_s, 1000), "ms", n, reason=sample.trouble),
        *_gpus(sample, n),
    )


def _gpus(sample: ServiceSample, n: int) -> tuple[Measurement, ...]:
    if sample.gpu is None:
        return ()
    return (
        Measurement("gpu", sample.gpu, "1", n, reason="The busiest, at the moment it was asked."),
        Measurement("gpu_memory", _scaled(sample.gpu_memory_bytes, 2**-20), "MiB", n),
    )


def judge_service(
    measured: tuple[Measurement, ...], sample: ServiceSample | None, rule: ServiceRule, n_predictions: int
) -> ServiceReport:
    """Say whether the service keeps to its limits.

    Args:
        measured: from ``measure_service`` and ``measure_server``.
        sample: what the server said; None when it was not asked.
        rule: the limits.
        n_predictions: answers in the window; a limit on latency says nothing of a window without any.
    """
    found = {item.name: item for item in measured}
    judged = [
        _against("error_rate", found.get("error_rate"), rule.max_error_rate),
        _against("latency_p99", found.get("latency_p99") if n_predictions else None, rule.max_latency_p99_ms),
    ]
    if sample is not None and sample.trouble and sample.declared:
        judged.append((Verdict.ALARM, sample.trouble))
    elif sample is not None and sample.trouble:
        judged.append((Verdict.UNKNOWN, f"{sample.trouble} Name it in monitoring.service to hear of its silence."))
    elif sample is not None:
        judged.append((Verdict.OK, "The server answers."))
    known = [part for part in judged if part is not None]
    if not known:
        return UNASKED
    verdict = Verdict.worst(part for part, _ in known if part is not Verdict.UNKNOWN)
    reasons = [reason for part, reason in known if part is verdict]
    return ServiceReport(verdict, " ".join(reasons), sample.counters() if sample and not sample.trouble else {})


def _against(name: str, item: Measurement | None, limit: float | None) -> tuple[Verdict, str] | None:
    if limit is None:
        return None
    if item is None or item.value is None:
        return Verdict.UNKNOWN, f"{name} is not known."
    unit = "" if item.unit == "1" else f" {item.unit}"
    said = f"{name} is {item.value:.4g}{unit}, at most {limit:g}{unit} is allowed"
    if item.value <= limit:
        return Verdict.OK, f"{said}."
    if item.interval is not None and item.interval.low > limit:
        return Verdict.ALARM, f"{said}: more than chance explains."
    return Verdict.WARN, f"{said}: chance could explain it."


def _grown(now: float | None, before: float | None) -> float | None:
    return None if now is None or before is None else max(0.0, now - before)


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _percentile(ordered: np.ndarray, percent: int) -> Measurement:
    """Return one percentile with the distribution-free interval of its rank.

    Source:
        Conover (1999), Practical Nonparametric Statistics, section 3.2: the number of rows under the true quantile is
        binomial. At the ends, where no row bounds the quantile, there is no interval.
    """
    name, n = f"latency_p{percent}", len(ordered)
    if n == 0:
        return Measurement(name, None, "ms", 0, reason="No latency was recorded in this window.")
    share = percent / 100
    value = float(np.quantile(ordered, share))
    low, high = int(binom.ppf((1 - LEVEL) / 2, n, share)), int(binom.ppf((1 + LEVEL) / 2, n, share))
    if low < 1 or high >= n:
        return Measurement(name, value, "ms", n, reason="Too few rows for an interval.")
    return Measurement(name, value, "ms", n, interval=Interval(float(ordered[low - 1]), float(ordered[high]), LEVEL))
