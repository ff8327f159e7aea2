"""Export, age and erasure as verbs of the loop, on fakes."""

from datetime import timedelta

import pytest

from vigie.adapters.exports import ParquetExports
from vigie.domain.event import EventKind
from vigie.errors import StorageError
from vigie.loop.erase import Copies, entity_hash, erase, traces
from vigie.loop.expire import expire, horizon
from vigie.loop.export import Days, Exported, export, export_folders
from vigie.loop.memory import Memory
from vigie.ports import Expired, Held
from vigie.testing import FakeClock, InMemoryLedger, InMemoryPredictionLog
from vigie.testing.clock import START
from vigie.testing.conformance.keeping import DAYS, MODEL, fill
from vigie.testing.conformance.samples import BINARY

SALT = bytes(16)


@pytest.fixture
def memory():
    """Return three days of predictions, seen from the day after."""
    clock = FakeClock(START + timedelta(days=3))
    memory = Memory(MODEL, InMemoryPredictionLog(), InMemoryLedger(clock), clock)
    fill(memory.log)
    return memory


@pytest.fixture
def exports(tmp_path):
    """Return a folder for copies."""
    return ParquetExports(tmp_path)


def copy(memory, exports, days=None):
    """Export to a folder that the ledger calls ``here``."""
    return export(memory, exports, "here", days or Days(), lambda _name, _done, _total: None)


def events(memory):
    """Return what the ledger has, without the time."""
    return [(event.kind, event.evidence) for event in memory.ledger.events(MODEL)]


def test_second_export_writes_nothing(memory, exports):
    """Days are written once; a correction has its day written anew, and only that."""
    assert copy(memory, exports) == Exported(3, 0, 6, 0)
    assert copy(memory, exports) == Exported(0, 3, 0, 6)
    memory.log.erase("client-1")
    assert copy(memory, exports) == Exported(2, 1, 2, 2)


def test_export_of_some_days(memory, exports):
    """First and last day are both included."""
    assert copy(memory, exports, Days(DAYS[1], DAYS[2])) == Exported(2, 0, 4, 0)
    assert copy(memory, exports, Days(last=DAYS[0])) == Exported(1, 0, 2, 0)


def test_ledger_knows_where_copies_went(memory, exports):
    """The folder is in the ledger once, before its first file; an export of nothing leaves no trace."""
    copy(memory, exports, Days(first=DAYS[2].replace(year=2030)))
    assert export_folders(memory) == []
    copy(memory, exports)
    copy(memory, exports)
    assert [kind for kind, _ in events(memory)] == [EventKind.EXPORTED]
    assert export_folders(memory) == ["here"]


def test_expired_days_stay_in_their_copies(memory, exports):
    """Age takes whole days from the log; the next export leaves their copies alone."""
    copy(memory, exports)
    assert expire(memory, timedelta(days=1, hours=9)) == Expired(4, 2, 0)
    assert copy(memory, exports) == Exported(0, 1, 0, 2)
    assert len(list(exports._files())) == 3
    assert [kind for kind, _ in events(memory)] == [EventKind.EXPORTED, EventKind.EXPIRED]


def test_nothing_old_leaves_no_trace(memory):
    """The watcher asks after each turn; the ledger only keeps what went."""
    assert expire(memory, timedelta(days=30)) == Expired(0, 0, 0)
    assert events(memory) == []


@pytest.mark.parametrize(("hours", "days_back"), [(24, 1), (33, 1), (34, 2), (48, 2), (1, 0)])
def test_horizon_is_a_midnight(hours, days_back):
    """At nine in the morning, 33 hours back is yesterday's midnight: a day goes when all of it is old enough."""
    midnight = START.replace(hour=0)
    assert horizon(START, timedelta(hours=hours)) == midnight - timedelta(days=days_back)


def test_erasure_is_proved_without_a_name(memory, exports):
    """The ledger tells before and after, with counts and a hash that only the name gives; never the name."""
    copy(memory, exports)
    copies = Copies({"here": exports, "gone": None})
    found = erase(memory, copies, "client-0", SALT)
    assert (found.held, len(found.files), found.missing) == (Held(2, 1, 0), 2, ("gone",))
    assert traces(memory, copies, "client-0").held == Held(0, 0, 0)
    assert exports.files_of("client-0") == []
    (began, before), (erased, after) = events(memory)[1:]
    assert (began, erased) == (EventKind.ERASURE_BEGAN, EventKind.ERASED)
    assert before["predictions"] == after["predictions"] == 2
    assert before["entity_hash"] == entity_hash("client-0", SALT) != entity_hash("client-1", SALT)
    assert after["missing_folders"] == ["gone"]
    assert "client-0" not in repr(events(memory))


def test_failed_erasure_is_not_proved(memory, exports):
    """When the log fails, the ledger has a beginning without an end, and the next try begins again."""
    memory.log.failure = StorageError("prediction log", "full.", retryable=True)
    with pytest.raises(StorageError):
        erase(memory, Copies({"here": exports}), "client-0", SALT)
    assert [kind for kind, _ in events(memory)] == [EventKind.ERASURE_BEGAN]
    memory.log.failure = None
    erase(memory, Copies({"here": exports}), "client-0", SALT)
    assert [kind for kind, _ in events(memory)][1:] == [EventKind.ERASURE_BEGAN, EventKind.ERASED]


def test_schema_of_a_day_fits_the_model(memory):
    """A day's schema has the digest of the one that was logged under."""
    assert {day.schema.digest for day in memory.log.days(MODEL)} == {BINARY.digest}
