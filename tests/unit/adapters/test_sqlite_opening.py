"""Opening a SQLite store: what is refused, what is said, and what is set."""

import os
import sqlite3
from contextlib import closing

import pytest

from vigie.adapters.ledger.sqlite import SqliteLedger
from vigie.adapters.prediction_log.sqlite import SqlitePredictionLog
from vigie.adapters.sqlite import file as sqlite_file
from vigie.errors import StorageError
from vigie.testing import FakeClock
from vigie.testing.conformance.samples import BINARY, DAY, Records


def open_log(path, *, durable=True):
    """Open a log that the test closes."""
    return closing(SqlitePredictionLog(path, durable=durable))


def refusal(path):
    """Return why a log cannot be opened."""
    with pytest.raises(StorageError) as caught:
        SqlitePredictionLog(path, durable=True)
    assert not caught.value.retryable
    return str(caught.value)


def written_log(path, n=2000):
    """Leave a log with some pages of rows, checkpointed."""
    with open_log(path, durable=False) as log:
        log.append("churn", BINARY, Records().many(n))
    return path


def test_garbage_is_refused(tmp_path):
    """A file that is no database is named, with what to do about it."""
    path = tmp_path / "log.db"
    path.write_bytes(b"this is not a database, it only has its name" * 100)
    said = refusal(path)
    assert str(path) in said
    assert "Move it aside" in said


def test_torn_file_is_told(tmp_path):
    """A database that lost its second half says so when it is used; control: the whole one does not."""
    path = written_log(tmp_path / "log.db")
    with open_log(path) as log:
        assert log.rows("churn", BINARY, DAY).records.num_rows == 2000
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(StorageError, match="Move it aside") as caught, open_log(path) as log:
        log.rows("churn", BINARY, DAY)
    assert isinstance(caught.value.__cause__, sqlite3.DatabaseError)
    assert not caught.value.retryable


@pytest.mark.parametrize("page", [1024, 4096])
def test_a_file_with_other_pages_keeps_them(tmp_path, page):
    """New files have pages of 2,048 bytes; whatever an older one has, it goes on as it is."""
    path = tmp_path / "log.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute(f"PRAGMA page_size = {page}")
        other.execute("VACUUM")
    records = Records()
    for _ in range(2):
        with open_log(path) as log:
            log.append("churn", BINARY, records.many(50))
    with open_log(path) as log, closing(sqlite3.connect(path)) as reader:
        assert log.rows("churn", BINARY, DAY).records.num_rows == 100
        assert reader.execute("PRAGMA page_size").fetchone() == (page,)
    with closing(sqlite3.connect(written_log(tmp_path / "new.db", 1))) as new:
        assert new.execute("PRAGMA page_size").fetchone() == (2048,)


def test_overwritten_page_is_told(tmp_path):
    """A page of zeros in the middle is told, not read as fewer rows."""
    path = written_log(tmp_path / "log.db")
    with path.open("r+b") as file:
        file.seek(4096 * 20)
        file.write(bytes(4096 * 20))
    with pytest.raises(StorageError, match="Move it aside"), open_log(path) as log:
        log.rows("churn", BINARY, DAY)


def test_foreign_database_is_left_alone(tmp_path):
    """A database of another program is refused and not changed."""
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE precious (x)")
    before = path.read_bytes()
    assert "something else" in refusal(path)
    assert path.read_bytes() == before


def test_ledger_is_not_a_log(tmp_path):
    """One file cannot be both stores."""
    with closing(SqliteLedger(tmp_path / "state.db", clock=FakeClock())):
        pass
    assert "something else" in refusal(tmp_path / "state.db")


def test_newer_structure_is_refused(tmp_path):
    """A file written by a later Vigie is refused with both numbers."""
    path = written_log(tmp_path / "log.db", n=1)
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA user_version = 99")
    said = refusal(path)
    assert "99" in said
    assert "newer" in said


def test_folder_in_place_of_a_file_is_refused(tmp_path):
    """A path that is a folder gives a storage error."""
    (tmp_path / "log.db").mkdir()
    assert "cannot" in refusal(tmp_path / "log.db") or "unable" in refusal(tmp_path / "log.db")


def test_file_in_place_of_a_folder_is_refused(tmp_path):
    """A parent that is a file gives a storage error."""
    (tmp_path / "file").write_text("x")
    assert "cannot be opened" in refusal(tmp_path / "file" / "log.db")


def test_network_file_system_is_refused(tmp_path, monkeypatch):
    """A path on NFS is refused at the start; control: the same path on ext4 is not."""
    table = "/dev/sda / ext4 rw 0 0\nserver:/export {} {} rw 0 0\n"
    monkeypatch.setattr(sqlite_file, "read_mounts", lambda: table.format(tmp_path.resolve(), "nfs4"))
    assert "nfs4" in refusal(tmp_path / "log.db")
    monkeypatch.setattr(sqlite_file, "read_mounts", lambda: table.format(tmp_path.resolve(), "ext4"))
    with open_log(tmp_path / "log.db"):
        pass


@pytest.mark.parametrize(("durable", "synchronous"), [(True, 2), (False, 1)])
def test_settings_of_the_writer(tmp_path, durable, synchronous):
    """The writer runs in WAL mode, syncs as asked, overwrites what is deleted and makes its own checkpoints."""
    with open_log(tmp_path / "log.db", durable=durable) as log:
        writer = log._file._writer
        names = ("journal_mode", "synchronous", "secure_delete", "wal_autocheckpoint", "busy_timeout")
        found = [writer.execute(f"PRAGMA {name}").fetchone()[0] for name in names]
    assert found == ["wal", synchronous, 1, 0, 10000]


def test_reading_cannot_write(tmp_path):
    """The connection that reads refuses to write."""
    with open_log(tmp_path / "log.db") as log, pytest.raises(StorageError), log._file.read() as reader:
        reader.execute("DELETE FROM label")


def test_rows_survive_reopening(tmp_path):
    """A log that is closed and opened again has its rows and takes more under the same table."""
    records = Records()
    for _ in range(3):
        with open_log(tmp_path / "log.db") as log:
            log.append("churn", BINARY, [records.one()])
    with open_log(tmp_path / "log.db") as log:
        assert log.rows("churn", BINARY, DAY).records.num_rows == 3
        with log._file.read() as reader:
            assert reader.execute("SELECT count(*) FROM feature_schema").fetchone() == (1,)


def test_names_never_enter_sql(tmp_path):
    """Columns are called by place; what they mean is data."""
    with open_log(tmp_path / "log.db") as log:
        log.append("churn'; DROP TABLE label; --", BINARY, [Records().one()])
        with log._file.read() as reader:
            names = [row[1] for row in reader.execute("PRAGMA table_info(p_1)")]
            (spec,) = reader.execute("SELECT spec FROM feature_schema").fetchone()
    assert names[-4:] == ["f_0", "f_1", "f_2", "f_3"]
    assert "DROP TABLE label" in spec


def test_large_window_is_read_in_chunks(tmp_path, monkeypatch):
    """A window that takes several reads gives every row once, in order."""
    monkeypatch.setattr("vigie.adapters.prediction_log.reading.CHUNK", 7)
    records = Records().many(21)
    with open_log(tmp_path / "log.db", durable=False) as log:
        log.append("churn", BINARY, records)
        found = log.rows("churn", BINARY, DAY).records["id"].to_pylist()
    assert found == [str(record.id) for record in records]


def test_check_really_writes(tmp_path):
    """A health check fails when the file cannot be written; control: before that it passes."""
    with open_log(tmp_path / "log.db") as log:
        log.check()
        log._file._writer.execute("PRAGMA query_only = ON")
        with pytest.raises(StorageError):
            log.check()


def test_failed_migration_leaves_nothing(tmp_path):
    """A migration that fails in its middle is undone whole, and the next start begins again."""
    good = sqlite_file.Migration(1, ("CREATE TABLE a (x)",))
    bad = sqlite_file.Migration(2, ("CREATE TABLE b (x)", "CREATE TABLE a (x)"))
    options = {"store": "test", "application_id": 7, "durable": False}
    with pytest.raises(StorageError, match="already exists"):
        sqlite_file.SqliteFile(tmp_path / "x.db", migrations=(good, bad), **options)
    fixed = sqlite_file.Migration(2, ("CREATE TABLE b (x)",))
    file = sqlite_file.SqliteFile(tmp_path / "x.db", migrations=(good, fixed), **options)
    with closing(file), file.read() as reader:
        assert reader.execute("PRAGMA user_version").fetchone() == (2,)
