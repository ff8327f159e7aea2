"""Every source of ids keeps the port's contract."""

import pytest

from vigie.adapters.clock import RandomIds
from vigie.testing import FakeIds
from vigie.testing.conformance import IdSourceSuite


class TestFakeIds(IdSourceSuite):
    """The fake."""

    @pytest.fixture
    def ids(self):
        """Return ids that repeat themselves."""
        return FakeIds(seed=7)


class TestRandomIds(IdSourceSuite):
    """Ids from the system's randomness."""

    @pytest.fixture
    def ids(self):
        """Return a new source."""
        return RandomIds()
