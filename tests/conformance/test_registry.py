"""Every model registry keeps the port's contract."""

import pytest

from vigie.testing import FakeClock, InMemoryRegistry
from vigie.testing.conformance import RegistrySuite


class TestInMemoryRegistry(RegistrySuite):
    """The fake."""

    @pytest.fixture
    def registry(self):
        """Return a registry in memory."""
        return InMemoryRegistry(FakeClock())
