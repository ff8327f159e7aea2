"""The watcher goes on."""

import logging
import threading
from datetime import timedelta
from types import SimpleNamespace

import pytest

from vigie.errors import StorageError
from vigie.settings import load_settings
from vigie.testing import FakeClock, InMemoryRegistry
from vigie.wiring.watch import turns

TOML = '[project]\nname = "churn"\n[data]\nsource = "x.csv"\ntarget = "churn"\n'


class _Broken(InMemoryRegistry):
    """A registry that fails; at the third question the watcher is told to end."""

    def __init__(self, failure):
        super().__init__(FakeClock())
        self.failure, self.asked, self.stopped = failure, 0, threading.Event()

    def alias(self, _model, _alias):
        self.asked += 1
        if self.asked == 3:
            self.stopped.set()
        raise self.failure


@pytest.mark.parametrize(
    ("failure", "is_foreseen"),
    [(StorageError("registry", "it is away.", retryable=True), True), (ZeroDivisionError("by zero"), False)],
)
def test_no_failed_turn_ends_the_watch(tmp_path, caplog, failure, is_foreseen):
    """Each is logged and the next one taken; what nobody foresaw is logged with its traceback."""
    (tmp_path / "vigie.toml").write_text(TOML)
    registry = _Broken(failure)
    loop = SimpleNamespace(model="churn", registry=registry)
    settings = load_settings(tmp_path, {})
    with caplog.at_level(logging.ERROR, logger="vigie.watch"):
        assert list(turns(loop, settings, pause=timedelta(0), stopped=registry.stopped)) == []
    assert registry.asked == len(caplog.records) == 3
    assert {record.exc_info is None for record in caplog.records} == {is_foreseen}
    assert all("this turn failed" in record.message and str(failure) in record.message for record in caplog.records)
