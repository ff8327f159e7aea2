"""How the service does: latency and throughput from the log, errors, processor and memory from the server itself."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from scipy.stats import binom

from vigie.domain.measurement import Interval, Measurement, Verdict
from vigie.domain.service import ServiceSample
from vigie.domain.window import Window
from vigie.evaluation.intervals import LEVEL, wilson

PERCENTILES: Final = (50, 95, 99)
"""What is reported of latency."""

_COUNTED: Final = {
    **{f"latency_p{percent}": "answer" for percent in PERCENTILES},
    "throughput": "prediction",
    "error_rate": "request",
}
_NOT_ASKED: Final = "The server was not asked."
_SINCE_BEGAN: Final = "Since the server began."
_SINCE_CLOSED: Final = "Since the last closed window."
_AT_ONCE: Final = "When the server was asked."


def counted_noun(name: str) -> str:
    """Return what ``n`` counts of a measurement of the service: requests, say, or readings of the server."""
    return _COUNTED.get(name, "reading")


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

    A percentile is told from the number of answers at which both ends of its interval exist: 6 for the middle, 72 for
    95 of 100, 368 for 99 of 100. Of fewer it would be little else than the slowest one.

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
    measured = (*(_percentile(ordered_ms, percent) for percent in PERCENTILES), throughput)
    return tuple(replace(item, window=window) for item in measured)


def measure_server(sample: ServiceSample, before: Mapping[str, Any]) -> tuple[Measurement, ...]:
    """Return error rate, processor, memory and the log's queue of a server, and its graphics processors if any.

    Counters are compared with those of an earlier look at the same process, or else taken since it began: error rate
    and processor cover that time, whatever the report's own window is. All else is of the moment, one reading each.

    Args:
        sample: what the server says now.
        before: ``ServiceReport.counters`` of the last closed window; empty for none.
    """
    same = sample.started_at_s is not None and before.get("started_at_s") == sample.started_at_s
    period, reason = _period(sample, before if same else {}), _SINCE_CLOSED if same else _SINCE_BEGAN
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
    unasked = reason if n else f"No request was answered {reason[0].lower()}{reason[1:]}"
    told = (
        Measurement("error_rate", rate, "1", n, interval=interval, reason=unasked, window=period),
        Measurement("cpu", share, "cores", int(share is not None), reason=reason, window=period),
        *_of_the_moment(sample, period),
    )
    return tuple(replace(item, reason=sample.trouble) for item in told) if sample.trouble else told


def _period(sample: ServiceSample, before: Mapping[str, Any]) -> Window | None:
    """Return from when to when counters grew; None of a server that does not say when it began."""
    if sample.started_at_s is None or sample.uptime_s is None:
        return None
    start, end = (
        datetime.fromtimestamp(sample.started_at_s + up_s, UTC)
        for up_s in (before.get("uptime_s") or 0.0, sample.uptime_s)
    )
    return Window(min(start, end), end)  # a clock that was set back since must not end a window before its start


def _of_the_moment(sample: ServiceSample, period: Window | None) -> tuple[Measurement, ...]:
    now = Window(period.end, period.end) if period else None
    gauges = [
        ("memory", _scaled(sample.memory_bytes, 2**-20), "MiB", _AT_ONCE),
        ("log_depth", sample.log_depth, "rows", _AT_ONCE),
        ("log_sync", _scaled(sample.log_sync_s, 1000), "ms", _AT_ONCE),
    ]
    if sample.gpu is not None:
        gauges += [
            ("gpu", sample.gpu, "1", "The busiest, when the server was asked."),
            ("gpu_memory", _scaled(sample.gpu_memory_bytes, 2**-20), "MiB", "All together, when the server was asked."),
        ]
    return tuple(
        Measurement(name, value, unit, int(value is not None), reason=reason, window=now)
        for name, value, unit, reason in gauges
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
    if item is None:
        return Verdict.UNKNOWN, f"{name} is not known."
    unit = "" if item.unit == "1" else f" {item.unit}"
    allowed = f"at most {limit:g}{unit} is allowed"
    if item.value is None:
        above = item.interval.low if item.interval else -math.inf
        is_broken = above > limit
        said = f"above {above:.4g}{unit}, {allowed}" if is_broken else "not known"
        return Verdict.WARN if is_broken else Verdict.UNKNOWN, f"{name} is {said}. {item.reason}"
    said = f"{name} is {item.value:.4g}{unit} in {_sampled(item)}, {allowed}"
    if item.value <= limit:
        return Verdict.OK, f"{said}."
    if item.interval is not None and item.interval.low > limit:
        return Verdict.ALARM, f"{said}: more than chance explains."
    return Verdict.WARN, f"{said}: chance could explain it."


def _sampled(item: Measurement) -> str:
    """Return what a number rests on, e.g. ``12 requests from 2026-03-01 12:03:10 to 2026-03-01 12:04:10 UTC``."""
    n = f"{item.n:,} {counted_noun(item.name)}{'' if item.n == 1 else 's'}"
    return n if item.window is None else f"{n} from {item.window.told}"


def _grown(now: float | None, before: float | None) -> float | None:
    return None if now is None or before is None else max(0.0, now - before)


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _percentile(ordered: np.ndarray, percent: int) -> Measurement:
    """Return one percentile with the distribution-free interval of its rank.

    Where no row bounds the quantile from above or from below, it has no value; an interval without an upper end tells
    what the quantile is above.

    Source:
        Conover (1999), Practical Nonparametric Statistics, section 3.2: the number of rows under the true quantile is
        binomial.
    """
    name, n = f"latency_p{percent}", len(ordered)
    if n == 0:
        return Measurement(name, None, "ms", 0, reason="No latency was recorded in this window.")
    share = percent / 100
    low, high = int(binom.ppf((1 - LEVEL) / 2, n, share)), int(binom.ppf((1 + LEVEL) / 2, n, share))
    above = float(ordered[low - 1]) if low >= 1 else None
    if above is None or high >= n:
        interval = None if above is None else Interval(above, math.inf, LEVEL)
        reason = f"Needs at least {_enough(share)} answers, found {n}."
        return Measurement(name, None, "ms", n, interval=interval, reason=reason)
    value = float(np.quantile(ordered, share))
    return Measurement(name, value, "ms", n, interval=Interval(above, float(ordered[high]), LEVEL))


def _enough(share: float) -> int:
    """Return from how many rows on a quantile lies between two of them at ``LEVEL``, half of the error at each end."""
    return math.ceil(math.log((1 - LEVEL) / 2) / math.log(max(share, 1 - share)))
