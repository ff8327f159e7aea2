"""What a server says of itself at one moment."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ServiceSample:
    """Counters since the server began, and gauges of the moment; None where it does not say.

    Attributes:
        trouble: why there is no sample, one sentence; empty when the server answered.
        declared: whether the settings name the server, so that its silence is an alarm.
        requests: answered since it began.
        failures: those of them that were the server's fault (5xx).
        cpu_s: processor seconds used.
        started_at_s: when it began, seconds since 1970.
        uptime_s: how long ago that was.
        memory_bytes: resident.
        log_depth: rows that wait for the prediction log.
        log_sync_s: how long the log's latest commit took.
        gpu: share of the moment in which the busiest graphics processor worked; None where there is none.
        gpu_memory_bytes: in use on all of them.
    """

    trouble: str = ""
    declared: bool = False
    requests: float | None = None
    failures: float | None = None
    cpu_s: float | None = None
    started_at_s: float | None = None
    uptime_s: float | None = None
    memory_bytes: float | None = None
    log_depth: float | None = None
    log_sync_s: float | None = None
    gpu: float | None = None
    gpu_memory_bytes: float | None = None

    def counters(self) -> dict[str, Any]:
        """Return what the next look subtracts, as plain JSON values."""
        return {
            "requests": self.requests,
            "failures": self.failures,
            "cpu_s": self.cpu_s,
            "started_at_s": self.started_at_s,
            "uptime_s": self.uptime_s,
        }
