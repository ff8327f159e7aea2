"""What every way to ask a server does."""
# ruff: noqa: S101 -- assert is how pytest works

from collections.abc import Callable

import pytest

from vigie.ports import ServiceProbe


class ServiceProbeSuite:
    """Subclass it and give ``probe``, of a server that answered four requests, one of them with a fault of its own.

    ``silence`` makes that server fall silent.
    """

    @pytest.fixture
    def probe(self) -> ServiceProbe:
        """Return the probe under test."""
        raise NotImplementedError("Give a fixture `probe` in your subclass.")

    @pytest.fixture
    def silence(self) -> Callable[[], None]:
        """Return what makes the server fall silent."""
        raise NotImplementedError("Give a fixture `silence` in your subclass.")

    def test_counters_are_told(self, probe: ServiceProbe) -> None:
        """Requests, and those of them that were the server's fault."""
        found = probe.sample()
        assert (found.trouble, found.requests, found.failures) == ("", 4, 1)

    def test_silence_is_a_sample_with_a_reason(self, probe: ServiceProbe, silence: Callable[[], None]) -> None:
        """Never an error, and no number of before."""
        silence()
        found = probe.sample()
        assert found.trouble.endswith(".")
        assert (found.requests, found.failures, found.memory_bytes) == (None, None, None)
