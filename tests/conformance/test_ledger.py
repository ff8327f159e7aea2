"""Every ledger keeps the port's contract."""

from contextlib import closing

import pytest

from vigie.adapters.ledger.sqlite import SqliteLedger
from vigie.testing import InMemoryLedger
from vigie.testing.conformance import LedgerSuite


class TestInMemoryLedger(LedgerSuite):
    """The fake."""

    @pytest.fixture
    def ledger(self, clock):
        """Return a ledger in memory."""
        return InMemoryLedger(clock)


class TestSqliteLedger(LedgerSuite):
    """The SQLite ledger."""

    @pytest.fixture
    def ledger(self, tmp_path, clock):
        """Return a ledger in a new file."""
        with closing(SqliteLedger(tmp_path / "ledger.db", clock=clock)) as ledger:
            yield ledger
