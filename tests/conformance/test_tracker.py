"""Every tracker keeps the port's contract."""

import pytest

from vigie.testing import InMemoryTracker
from vigie.testing.conformance import TrackerSuite


class TestInMemoryTracker(TrackerSuite):
    """The fake."""

    @pytest.fixture
    def tracker(self):
        """Return a tracker in memory."""
        return InMemoryTracker()

    @pytest.fixture
    def kept(self, tracker):
        """Return what reads a run back."""
        return lambda run_id: tracker.runs[run_id].record
