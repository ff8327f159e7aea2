"""The ledger's file refuses what its port does not offer."""

import sqlite3
from contextlib import closing

import pytest

from vigie.adapters.ledger.sqlite import SqliteLedger
from vigie.domain.event import Event, EventKind
from vigie.errors import LeaseHeldError, StorageError
from vigie.testing import FakeClock
from vigie.testing.clock import START

EVENT = Event(EventKind.PROMOTED, START, "churn", "Version 2 serves.")


@pytest.fixture
def path(tmp_path):
    """Return a ledger file with one event."""
    with closing(SqliteLedger(tmp_path / "ledger.db", clock=FakeClock())) as ledger:
        ledger.append(EVENT)
    return tmp_path / "ledger.db"


@pytest.mark.parametrize("attempt", ["UPDATE event SET summary = 'Nothing happened.'", "DELETE FROM event"])
def test_history_cannot_be_rewritten(path, attempt):
    """Even by plain SQL an event is neither changed nor deleted; control: adding one works."""
    with closing(sqlite3.connect(path)) as raw:
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            raw.execute(attempt)
        raw.execute("INSERT INTO event SELECT 9, kind, at, model, version, summary, reasons, evidence FROM event")
        raw.commit()
    with closing(SqliteLedger(path, clock=FakeClock())) as ledger:
        assert [event.summary for event in ledger.events("churn")] == ["Version 2 serves."] * 2


def test_lease_holds_between_processes(path):
    """Two handles on one file, as two processes have, respect each other's lease."""
    clock = FakeClock()
    with closing(SqliteLedger(path, clock=clock)) as one, closing(SqliteLedger(path, clock=clock)) as two:
        with (
            one.lease("churn", owner="one", ttl_s=60),
            pytest.raises(LeaseHeldError, match="one"),
            two.lease("churn", owner="two", ttl_s=60),
        ):
            pass
        with two.lease("churn", owner="two", ttl_s=60):
            pass


def test_failing_ledger_does_not_hide_the_error_of_the_block(path):
    """When the block fails and the lease cannot be given back either, the block's error comes through."""
    ledger = SqliteLedger(path, clock=FakeClock())

    def fail_with_the_ledger():
        with ledger.lease("churn", owner="one", ttl_s=60):
            ledger.close()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_with_the_ledger()


def test_failing_ledger_is_told_after_a_good_block(path):
    """When only giving back fails, that is told."""
    ledger = SqliteLedger(path, clock=FakeClock())
    with pytest.raises(StorageError), ledger.lease("churn", owner="one", ttl_s=60):
        ledger.close()
