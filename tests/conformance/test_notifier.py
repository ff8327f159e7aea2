"""Every notifier keeps the port's contract."""

import logging

import pytest

from vigie.adapters.notifiers.log import LogNotifier
from vigie.testing import RecordingNotifier
from vigie.testing.conformance import NotifierSuite


class TestRecordingNotifier(NotifierSuite):
    """The fake."""

    @pytest.fixture
    def notifier(self):
        """Return a notifier that records."""
        return RecordingNotifier()

    @pytest.fixture
    def delivered(self, notifier):
        """Return what reads its alerts."""
        return lambda: [f"{alert.model} {alert.title} {alert.body}" for alert in notifier.alerts]


class TestLogNotifier(NotifierSuite):
    """The notifier that writes to the process's log."""

    @pytest.fixture
    def notifier(self):
        """Return a notifier on the logger vigie.alerts."""
        return LogNotifier()

    @pytest.fixture
    def delivered(self, caplog):
        """Return what reads the logged lines."""
        caplog.set_level(logging.INFO, logger="vigie.alerts")
        return lambda: [record.getMessage() for record in caplog.records if record.name == "vigie.alerts"]
