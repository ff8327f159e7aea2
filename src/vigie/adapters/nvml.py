"""Graphics processors of the machine, for a server whose model uses one or shares its machine with who does.

Asked of NVIDIA's own library through ``nvidia-ml-py`` (the extra ``gpu``), at every scrape. Where either is missing
there is nothing to tell, and nothing is said.
"""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

UTILIZATION, USED, TOTAL = "vigie_gpu_utilization_ratio", "vigie_gpu_memory_used_bytes", "vigie_gpu_memory_total_bytes"


class NvmlGauges(Collector):
    """What each graphics processor does, by its number.

    Args:
        nvml: the module ``pynvml``, initialised in this process: its handles do not survive a fork.
    """

    def __init__(self, nvml: Any) -> None:
        self._nvml = nvml

    def collect(self) -> Iterator[Metric]:
        """Yield how busy each is and how much of its memory is taken; one that does not answer is left out."""
        by = ["gpu"]
        busy = GaugeMetricFamily(UTILIZATION, "Share of the last moment in which the processor worked.", labels=by)
        used = GaugeMetricFamily(USED, "Memory of the graphics processor in use, by anybody.", labels=by)
        total = GaugeMetricFamily(TOTAL, "Memory of the graphics processor.", labels=by)
        for number in range(self._count()):
            try:
                handle = self._nvml.nvmlDeviceGetHandleByIndex(number)
                share = self._nvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100
                memory = self._nvml.nvmlDeviceGetMemoryInfo(handle)
            except self._nvml.NVMLError:
                continue
            for family, value in ((busy, share), (used, memory.used), (total, memory.total)):
                family.add_metric([str(number)], value)
        yield from (busy, used, total)

    def _count(self) -> int:
        try:
            return int(self._nvml.nvmlDeviceGetCount())
        except self._nvml.NVMLError:
            return 0


def open_gpus() -> NvmlGauges | None:
    """Return what tells of the machine's graphics processors; None without the extra, a driver or a processor."""
    try:
        nvml: Any = import_module("pynvml")
    except ImportError:
        return None
    try:
        nvml.nvmlInit()
        return NvmlGauges(nvml) if nvml.nvmlDeviceGetCount() else None
    except nvml.NVMLError:
        return None
