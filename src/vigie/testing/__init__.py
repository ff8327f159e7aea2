"""Published for tests: a complete fake of every port, and in ``vigie.testing.conformance`` one suite per port.

The fakes pass the same suites as the real adapters. Importing this package needs no test runner; the suites need
pytest.
"""

from vigie.testing.clock import FakeClock, FakeIds
from vigie.testing.ledger import InMemoryLedger
from vigie.testing.notifier import RecordingNotifier
from vigie.testing.prediction_log import InMemoryPredictionLog
from vigie.testing.prediction_writer import InMemoryPredictionWriter
from vigie.testing.registry import InMemoryRegistry
from vigie.testing.service import FixedService
from vigie.testing.tracker import InMemoryTracker, KeptRun

__all__ = [
    "FakeClock",
    "FakeIds",
    "FixedService",
    "InMemoryLedger",
    "InMemoryPredictionLog",
    "InMemoryPredictionWriter",
    "InMemoryRegistry",
    "InMemoryTracker",
    "KeptRun",
    "RecordingNotifier",
]
