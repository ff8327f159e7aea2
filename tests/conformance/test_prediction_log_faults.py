"""What the SQLite log keeps when processes die, the disk fails or somebody else is writing."""

import fcntl
import os
import resource
import select
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from vigie.adapters.prediction_log.sqlite import SqlitePredictionLog
from vigie.domain.prediction import Feedback
from vigie.errors import StorageError
from vigie.testing.clock import START
from vigie.testing.conformance.hours import counted, recounted
from vigie.testing.conformance.samples import BINARY, DAY, Records

WRITER = Path(__file__).parent / "prediction_log_writer.py"
ROUNDS = 5


def start_writer(path, *, seed, n_batches=0, mode="log"):
    """Start a process that logs and says what was acknowledged."""
    command = [sys.executable, str(WRITER), str(path), str(seed), str(n_batches), mode]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def kill_under_load(path, *, seed, mode):
    """Let a writer work, kill -9 it in the middle, and return the ids it acknowledged."""
    with start_writer(path, seed=seed, mode=mode) as writer:
        try:
            assert select.select([writer.stdout], [], [], 60)[0], "the writer never acknowledged anything"
            time.sleep(0.05 + 0.013 * seed)
        finally:
            os.kill(writer.pid, signal.SIGKILL)
        acknowledged = writer.stdout.read().splitlines()
    return {line for line in acknowledged if len(line) == 36}


def logged_ids(path):
    """Return what a fresh reader finds."""
    with closing(SqlitePredictionLog(path, durable=True)) as log:
        return set(log.rows("churn", BINARY, DAY).records["id"].to_pylist())


def rounds_of_death(path, mode):
    """Return how many ids were acknowledged and how many of them are missing, over all rounds."""
    acknowledged = set()
    for seed in range(ROUNDS):
        acknowledged |= kill_under_load(path, seed=seed, mode=mode)
    return len(acknowledged), len(acknowledged - logged_ids(path))


def test_kill_loses_nothing_acknowledged(tmp_path):
    """After five kill -9 under load, every acknowledged prediction is in the log."""
    n_acknowledged, n_missing = rounds_of_death(tmp_path / "log.db", "log")
    assert n_acknowledged > ROUNDS * 5
    assert n_missing == 0


def test_kill_catches_an_early_acknowledgement(tmp_path):
    """Control: a writer that acknowledges before it appends is caught by the same rounds."""
    _, n_missing = rounds_of_death(tmp_path / "log.db", "early")
    assert n_missing > 0


def test_kill_leaves_counts_right(tmp_path):
    """After five kill -9 of a process that logs and counts, the counts by hour are those of the rows."""
    path = tmp_path / "log.db"
    rounds_of_death(path, "count")
    with closing(SqlitePredictionLog(path, durable=True)) as log:
        with log._file.read() as connection:
            n_counted = connection.execute("SELECT sum(rows) FROM hour_count").fetchone()[0]
        assert n_counted > 0, "nothing was counted before the kills"
        assert counted(log) == recounted(log)


def test_two_processes_append_at_once(tmp_path):
    """Two writers on one file lose, repeat and mix nothing."""
    path = tmp_path / "log.db"
    writers = [start_writer(path, seed=seed, n_batches=60) for seed in (1, 2)]
    said = [writer.communicate(timeout=120)[0].splitlines() for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0]
    assert [len(ids) for ids in said] == [300, 300]
    assert logged_ids(path) == set(said[0]) | set(said[1])


@pytest.mark.parametrize(("side_file", "waits"), [("log.db.lock", True), ("other.lock", False)])
def test_writers_queue_at_the_side_file(tmp_path, side_file, waits):
    """An append waits while somebody holds the lock beside the log; control: not for another lock."""
    with closing(SqlitePredictionLog(tmp_path / "log.db", durable=False)) as log:
        with (tmp_path / side_file).open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            thread = threading.Thread(target=log.append, args=("churn", BINARY, Records().many(1)))
            thread.start()
            thread.join(0.3)
            assert thread.is_alive() is waits
        thread.join(10)
        assert log.count("churn") == 1


def fill(log, records, limit=2000):
    """Append one by one until the log refuses; return what was acknowledged and the refusal."""
    acknowledged = []
    for _ in range(limit):
        batch = [records.one() for _ in range(10)]
        try:
            log.append("churn", BINARY, batch)
        except StorageError as exc:
            return acknowledged, exc
        acknowledged += batch
    pytest.fail("the log never became full")


def test_full_disk_can_be_tried_again(tmp_path):
    """A full log says so, keeps what it acknowledged, and goes on by itself once there is room."""
    records = Records()
    with closing(SqlitePredictionLog(tmp_path / "log.db", durable=True)) as log:
        log._file._writer.execute("PRAGMA max_page_count = 40")
        acknowledged, refusal = fill(log, records)
        assert refusal.retryable
        assert isinstance(refusal.__cause__, sqlite3.OperationalError)
        assert "space" in str(refusal)
        assert log.rows("churn", BINARY, DAY).records["id"].to_pylist() == [str(one.id) for one in acknowledged]
        log._file._writer.execute("PRAGMA max_page_count = 1000000")
        log.append("churn", BINARY, [records.one()])
        assert log.count("churn") == len(acknowledged) + 1


def test_full_disk_refuses_feedback_whole(tmp_path):
    """Feedback that does not fit is refused, and none of its batch is kept."""
    records = Records()
    with closing(SqlitePredictionLog(tmp_path / "log.db", durable=True)) as log:
        log._file._writer.execute("PRAGMA max_page_count = 40")
        acknowledged, _ = fill(log, records)
        batch = [Feedback(one.id, "x" * 500) for one in acknowledged] * 2 + [
            Feedback(records.unknown_id(), "y" * 2000) for _ in range(200)
        ]
        with pytest.raises(StorageError) as caught:
            log.record_feedback("churn", batch, received_at=START)
        assert caught.value.retryable
        assert log.rows("churn", BINARY, DAY).records["outcome"].null_count == len(acknowledged)


@pytest.fixture
def small_files():
    """Give a function that limits how large this process may make a file; None lifts the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (soft if size is None else size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    signal.signal(signal.SIGXFSZ, previous)


def test_failed_disk_stops_the_handle(tmp_path, small_files):
    """After the kernel refused a write, nothing is acknowledged until the log is opened again; then all is there."""
    path, records = tmp_path / "log.db", Records()
    with closing(SqlitePredictionLog(path, durable=True)) as log:
        small_files(200_000)
        acknowledged, refusal = fill(log, records)
        small_files(None)
        assert not refusal.retryable
        for write in (lambda: log.append("churn", BINARY, [records.one()]), log.check):
            with pytest.raises(StorageError, match="restart") as caught:
                write()
            assert not caught.value.retryable
        assert log.count("churn") == len(acknowledged)
    with closing(SqlitePredictionLog(path, durable=True)) as log:
        log.append("churn", BINARY, [records.one()])
        assert log.count("churn") == len(acknowledged) + 1


def test_sqlite_alone_goes_on_after_a_failed_disk(tmp_path, small_files):
    """Control: the driver by itself acknowledges again after the same failure, so the stop is ours."""
    with closing(sqlite3.connect(tmp_path / "bare.db", isolation_level=None)) as bare:
        bare.execute("PRAGMA journal_mode = WAL")
        bare.execute("CREATE TABLE t (x TEXT)")
        small_files(50_000)
        with pytest.raises(sqlite3.OperationalError):
            bare.executemany("INSERT INTO t VALUES (?)", [("x" * 1000,)] * 200)
        small_files(None)
        bare.execute("INSERT INTO t VALUES ('acknowledged')")
        assert bare.execute("SELECT x FROM t WHERE x = 'acknowledged'").fetchall()


def test_busy_database_can_be_tried_again(tmp_path):
    """A program that locks the database without queueing gives a refusal that may be tried again."""
    path, records = tmp_path / "log.db", Records()
    with closing(SqlitePredictionLog(path, durable=False)) as log, closing(sqlite3.connect(path)) as rude:
        log._file._writer.execute("PRAGMA busy_timeout = 10")
        rude.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError) as caught:
            log.append("churn", BINARY, [records.one()])
        assert caught.value.retryable
        rude.rollback()
        log.append("churn", BINARY, [records.one()])
        assert log.count("churn") == 1


@pytest.mark.parametrize("fate", ["deleted", "replaced"])
def test_vanished_file_is_noticed(tmp_path, fate):
    """A log whose file was deleted or replaced refuses, instead of writing into a file without a name."""
    path, records = tmp_path / "log.db", Records()
    with closing(SqlitePredictionLog(path, durable=False)) as log:
        log.append("churn", BINARY, [records.one()])
        path.rename(tmp_path / "moved.db")
        if fate == "replaced":
            path.write_bytes(b"")
        with pytest.raises(StorageError, match="while it was open") as caught:
            log.append("churn", BINARY, [records.one()])
        assert not caught.value.retryable
