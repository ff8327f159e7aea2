"""Graphics processors in the metrics, with a library that says what the test wants: no machine of ours has one."""

# ruff: noqa: N802 - the library names its own functions

import sys
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from vigie.adapters.nvml import open_gpus
from vigie.adapters.service_probe import read_sample
from vigie.monitoring.technical import measure_server


class _Error(Exception):
    pass


class _Nvml:
    """Two processors, of which the second is lost when ``lost`` is set."""

    NVMLError = _Error

    def __init__(self, *, n=2, driver=True):
        self.n, self.driver, self.lost, self.begun = n, driver, False, 0

    def nvmlInit(self):
        if not self.driver:
            raise _Error
        self.begun += 1

    def nvmlDeviceGetCount(self):
        return self.n

    def nvmlDeviceGetHandleByIndex(self, number):
        if self.lost and number == 1:
            raise _Error
        return number

    def nvmlDeviceGetUtilizationRates(self, handle):
        return SimpleNamespace(gpu=[25, 75][handle])

    def nvmlDeviceGetMemoryInfo(self, handle):
        return SimpleNamespace(used=2**20 * (handle + 1), total=2**30)


@pytest.fixture
def install(monkeypatch):
    """Give a function that makes a library the one that is installed."""
    return lambda library: monkeypatch.setitem(sys.modules, "pynvml", library)


def _exposed(gauges):
    registry = CollectorRegistry()
    registry.register(gauges)
    return generate_latest(registry).decode()


def test_each_processor_is_told_and_the_monitor_reads_it(install):
    """From the library's per cent and bytes to what ``vigie monitor`` shows: the busiest, and the memory of all."""
    install(_Nvml())
    text = _exposed(open_gpus())
    assert 'vigie_gpu_utilization_ratio{gpu="1"} 0.75' in text
    assert text.count("vigie_gpu_memory_total_bytes{") == 2
    sample = read_sample(text, declared=True, now_s=0.0)
    found = {item.name: (item.value, item.unit) for item in measure_server(sample, {})}
    assert found["gpu"] == (0.75, "1")
    assert found["gpu_memory"] == (3.0, "MiB")


def test_one_that_is_lost_is_left_out(install):
    """A processor that fell off its bus does not take the metrics with it."""
    library = _Nvml()
    install(library)
    gauges = open_gpus()
    library.lost = True
    assert 'gpu="0"' in _exposed(gauges)
    assert 'gpu="1"' not in _exposed(gauges)


@pytest.mark.parametrize("library", [None, _Nvml(driver=False), _Nvml(n=0)], ids=["no extra", "no driver", "no gpu"])
def test_nothing_is_said_where_there_is_nothing(install, library):
    """Without the extra, the driver or a processor the metrics are as they were, and so is the monitor."""
    install(library)
    assert open_gpus() is None
    assert "gpu" not in {item.name for item in measure_server(read_sample("", declared=True, now_s=0.0), {})}
