"""The server asked how it does, by its own ``/metrics``."""

import math
import time
from collections.abc import Callable, Iterable
from typing import Final

import httpx
from prometheus_client.parser import text_string_to_metric_families

from vigie.domain.service import ServiceSample
from vigie.ports import Clock

_ASKING_HOW_IT_IS: Final = frozenset(
    {"/livez", "/readyz", "/ping", "/health", "/metrics", "/v2/health/live", "/v2/health/ready"}
)
"""Routes that say 503 while a model is awaited: that is an answer, not a failure, and no user's request."""
_NO_KEY: Final = (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
_KEY_WANTED: Final = (
    "because it wants an access key: make one with `vigie keys new watcher --scope metrics` and name it in "
    "monitoring.service_key"
)
_TIMEOUT_S: Final = 5.0
_LONGEST: Final = 4 * 2**20
_DAY_S: Final = 86_400.0
_GAUGES: Final[dict[str, tuple[str, Callable[[Iterable[float]], float]]]] = {
    "vigie_process_cpu_seconds_total": ("cpu_s", sum),
    "vigie_process_start_time_seconds": ("started_at_s", min),
    "vigie_process_resident_memory_bytes": ("memory_bytes", sum),
    "vigie_log_depth_rows": ("log_depth", sum),
    "vigie_log_last_commit_seconds": ("log_sync_s", max),
    "vigie_gpu_utilization_ratio": ("gpu", max),
    "vigie_gpu_memory_used_bytes": ("gpu_memory_bytes", sum),
}
"""Which field of a sample a metric is, and what several workers' say together."""


class HttpServiceProbe:
    """Implements ``ports.ServiceProbe``.

    Args:
        address: of the server, without a path.
        key: access key with the scope ``metrics``, where the server asks for one.
        declared: whether its silence is an alarm.
        clock: tells how long the server has been up.
    """

    def __init__(self, address: str, *, key: str | None, declared: bool, clock: Clock) -> None:
        self._address = address
        self._headers = {"authorization": f"Bearer {key}"} if key else {}
        self._declared = declared
        self._clock = clock

    def sample(self) -> ServiceSample:
        """Return its counters and gauges; a server that does not answer is a sample that says why."""
        url = f"{self._address.rstrip('/')}/metrics"
        try:
            with httpx.stream("GET", url, headers=self._headers, timeout=_TIMEOUT_S, trust_env=False) as answer:
                if answer.status_code in _NO_KEY:
                    return self._silent(f"answered {answer.status_code} when asked for its metrics, {_KEY_WANTED}")
                if answer.status_code != httpx.codes.OK:
                    return self._silent(f"answered {answer.status_code} when asked for its metrics")
                text = _read(answer)
            if text is None:
                return self._silent("sent more metrics than can be meant, or sent them too slowly")
            return read_sample(text, declared=self._declared, now_s=self._clock.now().timestamp())
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            return self._silent(f"does not answer ({type(exc).__name__})")
        except ValueError:
            return self._silent("sent metrics that cannot be read")

    def _silent(self, what: str) -> ServiceSample:
        return ServiceSample(trouble=f"The server at {self._address} {what}.", declared=self._declared)


def _read(answer: httpx.Response) -> str | None:
    """Return a body, None when it is too large or takes too long: a trickle of bytes must not hold the watch up."""
    until, body = time.monotonic() + _TIMEOUT_S, bytearray()
    for part in answer.iter_bytes():
        body += part
        if len(body) > _LONGEST or time.monotonic() > until:
            return None
    return body.decode()


def read_sample(text: str, *, declared: bool, now_s: float) -> ServiceSample:
    """Return what a server's metrics say, of all its workers together.

    Args:
        text: in Prometheus' text format.
        declared: see ``ServiceSample``.
        now_s: seconds since 1970.

    Raises:
        ValueError: not in that format.
    """
    found: dict[str, float] = {}
    requests = failures = 0.0
    for family in text_string_to_metric_families(text):
        for item in family.samples:
            if not math.isfinite(item.value):
                continue
            if item.name == "vigie_requests_total" and item.labels.get("route") not in _ASKING_HOW_IT_IS:
                requests += item.value
                failures += item.value if item.labels.get("code", "").startswith("5") else 0.0
            elif item.name in _GAUGES:
                name, together = _GAUGES[item.name]
                found[name] = together((found[name], item.value)) if name in found else item.value
    started_at_s = found.get("started_at_s")
    if started_at_s is not None and not 0 <= started_at_s <= now_s + _DAY_S:
        started_at_s = None  # no clock gave that: nothing is to be dated by it
    uptime_s = None if started_at_s is None else max(0.0, now_s - started_at_s)
    return ServiceSample(
        declared=declared,
        requests=requests,
        failures=failures,
        cpu_s=found.get("cpu_s"),
        started_at_s=started_at_s,
        uptime_s=uptime_s,
        memory_bytes=found.get("memory_bytes"),
        log_depth=found.get("log_depth"),
        log_sync_s=found.get("log_sync_s"),
        gpu=found.get("gpu"),
        gpu_memory_bytes=found.get("gpu_memory_bytes"),
    )
