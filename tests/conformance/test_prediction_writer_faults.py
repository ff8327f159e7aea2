"""What the group commit does when the log is full, locked, broken or left behind; harder blows are in tests/crash."""

import asyncio
import fcntl
import resource
import signal
import subprocess
import sys
from contextlib import closing

import pytest

from vigie.adapters.prediction_log import writer as writer_module
from vigie.adapters.prediction_log.sqlite import SqlitePredictionLog
from vigie.adapters.prediction_log.writer import SqlitePredictionWriter
from vigie.adapters.sqlite import file as sqlite_file
from vigie.errors import StorageError
from vigie.ports import EncodedRows
from vigie.testing import FakeClock
from vigie.testing.conformance.prediction_writer import MODEL, answer, encoded, keep, run
from vigie.testing.conformance.samples import BINARY, DAY, Records


@pytest.fixture
def path(tmp_path):
    """Return where the log is."""
    return tmp_path / "log.db"


@pytest.fixture
def writer(path):
    """Return a writer that does not wait for the disk."""
    with closing(SqlitePredictionWriter(path, durable=False, max_waiting_rows=1000, clock=FakeClock())) as writer:
        yield writer


@pytest.fixture
def log(path, writer):  # noqa: ARG001  it makes the file
    """Return a reader of the same log."""
    with closing(SqlitePredictionLog(path, durable=False)) as log:
        yield log


@pytest.fixture
def elsewhere(path, writer):  # noqa: ARG001  it makes the file
    """Return a file that locks the log as another process would."""
    with path.with_name("log.db.lock").open("w") as file:
        yield file


async def enough(writer):
    """Submit until the log refuses; return how many rows were acknowledged, and the refusal."""
    records, kept = Records(), 0
    for _ in range(2000):
        try:
            await keep(writer, [records.one() for _ in range(10)])
        except StorageError as exc:
            return kept, exc
        kept += 10
    return pytest.fail("the log never refused")


def test_full_log_refuses_and_recovers(writer, log):
    """A full log refuses before the model runs for a moment; once there is room, the same writer goes on."""
    writer._file._writer.execute("PRAGMA max_page_count = 40")

    async def story():
        kept, refused = await enough(writer)
        assert refused.retryable
        with pytest.raises(StorageError, match="room"):
            writer.reserve(1)
        assert log.count(MODEL) == kept
        writer._file._writer.execute("PRAGMA max_page_count = 1000000")
        await asyncio.sleep(writer_module._PAUSE_S)
        await keep(writer, [Records(1).one()])
        assert log.count(MODEL) == kept + 1

    run(story())


@pytest.fixture
def small_files():
    """Give a function that limits how large this process may make a file; None lifts the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (soft if size is None else size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    signal.signal(signal.SIGXFSZ, previous)


def test_failed_disk_stops_the_writer(path, writer, log, small_files, monkeypatch):
    """After the kernel refused a write, no room is given and no check passes until the log is opened anew."""
    monkeypatch.setattr(writer_module, "_PAUSE_S", 0.0)

    async def story():
        await keep(writer, [Records(1).one()], answer("kept"))
        small_files(200_000)
        kept, refused = await enough(writer)
        small_files(None)
        assert not refused.retryable
        for _ in range(3):
            with pytest.raises(StorageError, match="restart"):
                writer.reserve(1)
            with pytest.raises(StorageError, match="restart"):
                await asyncio.to_thread(writer.check)
        assert writer.replayed("client:k1") == answer("kept")
        assert log.count(MODEL) == kept + 1

    run(story())
    writer.close()
    with closing(SqlitePredictionWriter(path, durable=True, max_waiting_rows=10, clock=FakeClock())) as anew:
        anew.check()


def test_log_kept_by_another_process_is_not_waited_for_for_ever(writer, log, elsewhere, monkeypatch):
    """A group whose turn does not come is refused, may be tried again, and succeeds when the other is done."""
    monkeypatch.setattr(sqlite_file, "_BUSY_TIMEOUT_S", 0.05)
    records = Records()

    async def story():
        fcntl.flock(elsewhere, fcntl.LOCK_EX)
        with pytest.raises(StorageError, match="another process") as caught:
            await keep(writer, [records.one()])
        assert caught.value.retryable
        fcntl.flock(elsewhere, fcntl.LOCK_UN)
        await asyncio.to_thread(writer.check)
        await keep(writer, [records.one()])
        assert log.count(MODEL) == 1

    run(story())


def test_who_left_before_the_group_began_is_not_logged(writer, log, elsewhere):
    """A client who went away while the log was busy leaves no row behind."""
    records = Records()
    first, left, stayed = records.many(3)

    async def story():
        fcntl.flock(elsewhere, fcntl.LOCK_EX)
        busy = asyncio.create_task(keep(writer, [first]))
        await asyncio.sleep(0.05)  # the thread has taken the first and waits for its turn
        gone = asyncio.create_task(keep(writer, [left]))
        waiting = asyncio.create_task(keep(writer, [stayed]))
        await asyncio.sleep(0.02)
        gone.cancel()
        await asyncio.sleep(0)
        fcntl.flock(elsewhere, fcntl.LOCK_UN)
        await asyncio.gather(busy, waiting)

    run(story())
    assert log.rows(MODEL, BINARY, DAY).records["id"].to_pylist() == [str(first.id), str(stayed.id)]
    assert writer.depth() == 0


class CountingLoop(asyncio.SelectorEventLoop):
    """Counts how often another thread woke it."""

    n_woken = 0

    def call_soon_threadsafe(self, *arguments, **options):
        """Count, and do it."""
        self.n_woken += 1
        return super().call_soon_threadsafe(*arguments, **options)


def test_group_is_acknowledged_by_one_call(writer, log, elsewhere):
    """Fifty requests that waited together wake the loop at most twice; they are in one commit or two."""
    batches = [Records(seed).many(1) for seed in range(50)]

    async def story(loop):
        fcntl.flock(elsewhere, fcntl.LOCK_EX)
        waiting = [asyncio.create_task(keep(writer, batch)) for batch in batches]
        await asyncio.sleep(0.02)
        loop.n_woken = 0
        fcntl.flock(elsewhere, fcntl.LOCK_UN)
        await asyncio.gather(*waiting)

    loop = CountingLoop()
    loop.run_until_complete(story(loop))
    loop.close()
    assert log.count(MODEL) == 50
    assert 1 <= loop.n_woken <= 2


def test_rows_of_another_writer_are_refused(writer):
    """Rows that this writer's encoder did not make fail alone."""

    async def story():
        writer.reserve(1)
        with pytest.raises(StorageError, match="another writer"):
            await writer.submit(EncodedRows(object(), [(1,)]))
        await keep(writer, [Records().one()])

    run(story())


def test_expired_answers_are_deleted(path, monkeypatch):
    """Answers older than a day leave the file with the next group; younger ones stay."""
    clock = FakeClock()
    monkeypatch.setattr(writer_module, "_PURGE_EVERY_S", 0.0)
    with closing(SqlitePredictionWriter(path, durable=False, max_waiting_rows=1000, clock=clock)) as writer:

        async def story():
            records = Records()
            for n in range(5):
                await keep(writer, [records.one()], answer("old", f"client:{n}"))
            clock.advance(24 * 3600 + 1)
            await keep(writer, [records.one()], answer("young", "client:9"))

        run(story())
        with writer._file.read() as connection:
            assert connection.execute("SELECT key FROM replay").fetchall() == [("client:9",)]


def test_idle_log_is_brought_into_the_database(path, monkeypatch):
    """When nobody asks, the WAL's pages go into the database, so that no request waits for it."""
    monkeypatch.setattr(writer_module, "_IDLE_S", 0.02)
    with closing(SqlitePredictionWriter(path, durable=False, max_waiting_rows=1000, clock=FakeClock())) as writer:

        async def story():
            size = path.stat().st_size
            await keep(writer, Records().many(500))
            for _ in range(500):
                if path.stat().st_size > size:
                    return
                await asyncio.sleep(0.02)
            pytest.fail("nothing came into the database")

        run(story())


LEAVING = """
import asyncio, sys
from pathlib import Path
from vigie.adapters.prediction_log.writer import SqlitePredictionWriter
from vigie.testing.clock import FakeClock
from vigie.testing.conformance.prediction_writer import encoded
from vigie.testing.conformance.samples import Records

async def main():
    global writer
    writer = SqlitePredictionWriter(Path(sys.argv[1]), durable=True, max_waiting_rows=1000, clock=FakeClock())
    for one in Records().many(20):
        writer.reserve(1)
        writer.submit(encoded(writer, [one]))

asyncio.run(main())
"""


def test_interpreter_that_ends_commits_what_waits(path):
    """A program that ends without closing leaves nothing behind in the queue, and ends without a word."""
    ended = subprocess.run(
        [sys.executable, "-c", LEAVING, path], capture_output=True, text=True, timeout=60, check=True
    )
    assert ended.stderr == ""
    with closing(SqlitePredictionLog(path, durable=True)) as log:
        assert log.count(MODEL) == 20


def test_writing_loads_no_table_library():
    """The writer and all it imports leave Arrow, numpy and the models alone; control: reading loads Arrow."""
    heavy = {"pyarrow", "numpy", "pandas", "scipy", "sklearn", "mlflow"}
    loaded = [
        subprocess.run(
            [sys.executable, "-c", f"import sys, vigie.adapters.prediction_log.{module}; print(*sys.modules)"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for module in ("writer", "sqlite")
    ]
    assert heavy & set(loaded[0]) == set()
    assert "pyarrow" in loaded[1]


def test_who_fails_to_listen_costs_the_others_nothing(writer, log, caplog):
    """A function that raises when it is told is written to the server's log; the rest of the group is told."""
    records, heard = Records(), []

    async def story():
        for told in (lambda _failure: 1 / 0, heard.append):
            writer.reserve(1)
            writer.keep(encoded(writer, [records.one()]), told)
        await keep(writer, [records.one()])

    run(story())
    assert heard == [None]
    assert log.count(MODEL) == 3
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("n_rows", [1, 15, 16, 17, 63, 64, 65, 150])
def test_any_number_of_rows_is_kept_in_order(writer, log, n_rows):
    """Rows go to the table in statements of 64, 16 and the rest; none is lost or moved between two of them."""
    records = Records().many(n_rows)
    run(keep(writer, records))
    assert log.rows(MODEL, BINARY, DAY).records["id"].to_pylist() == [str(one.id) for one in records]
