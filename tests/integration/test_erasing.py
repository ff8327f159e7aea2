"""Erasure and age on real files: no byte is left, a kill does no harm, whoever writes meanwhile hardly waits."""

import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import pytest

from vigie.adapters.prediction_log.remains import count_bytes
from vigie.adapters.prediction_log.sqlite import SqlitePredictionLog
from vigie.adapters.prediction_log.writer import SqlitePredictionWriter
from vigie.domain.prediction import Feedback, Prediction, PredictionRecord, uuid7
from vigie.errors import StorageError
from vigie.ports import Held, Replay
from vigie.testing import FakeClock
from vigie.testing.clock import START
from vigie.testing.conformance.prediction_writer import keep, run
from vigie.testing.conformance.samples import BINARY, Records

WHO = "Ada Lovelace 1815"
N, EVERY = 6_000, 60


def fill(log, n=N):
    """Log rows out of the order of their ids, every sixtieth of ``WHO``, with outcomes in random order."""
    random = Random(7)  # noqa: S311  rows, no secret
    made = [
        PredictionRecord(
            uuid7(START + timedelta(seconds=random.uniform(0, 80_000)), random.randbytes(10)),
            START + timedelta(seconds=place),
            "1",
            (place, random.random(), True, WHO if place % EVERY == 0 else "x" * random.randrange(40)),
            Prediction("oui", (0.2, 0.8)),
            entity=WHO if place % EVERY == 0 else f"somebody {place}",
        )
        for place in range(n)
    ]
    for start in range(0, n, 500):
        log.append("churn", BINARY, made[start : start + 500])
    outcomes = [Feedback(record.id, random.choice(["oui", "non"])) for record in made]
    random.shuffle(outcomes)
    for start in range(0, n, 500):
        log.record_feedback("churn", outcomes[start : start + 500], received_at=START)
    return [record.id.bytes for record in made if record.entity == WHO]


def files(path):
    """Return everything SQLite keeps beside a database, and itself."""
    return sorted(path.parent.glob(f"{path.name}*"))


def test_no_byte_is_left(tmp_path):
    """Neither ids nor the name are in any file; before, both are: the search can find them."""
    path = tmp_path / "log.db"
    with closing(SqlitePredictionLog(path, durable=False)) as log:
        ids = fill(log)
        needles = [*ids, WHO.encode()]
        assert set(count_bytes(files(path), needles)) == set(needles)
        assert log.erase(WHO) == Held(N // EVERY, N // EVERY, 0)
        assert count_bytes(files(path), needles).total() == 0
        assert log.count("churn") == N - N // EVERY
    with closing(sqlite3.connect(path)) as plain:
        assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_control_plain_deletion_leaves_bytes(tmp_path):
    """Without overwriting, the same rows deleted by hand are still there to read: so the test above can fail."""
    path = tmp_path / "log.db"
    with closing(SqlitePredictionLog(path, durable=False)) as log:
        ids = fill(log)
    with closing(sqlite3.connect(path, isolation_level=None)) as plain:
        plain.execute("PRAGMA secure_delete = OFF")
        plain.execute("DELETE FROM p_1 WHERE entity = ?", (WHO,))
        plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert count_bytes(files(path), [*ids, WHO.encode()]).total() > len(ids)


def test_answers_kept_for_retries_go(tmp_path):
    """Kept answers that name a prediction of the entity, or were kept with one and name nobody, go; others stay."""
    clock, records = FakeClock(), Records()
    path = tmp_path / "log.db"
    with closing(SqlitePredictionWriter(path, durable=False, max_waiting_rows=99, clock=clock)) as writer:
        hers, his, nameless = records.one(entity=WHO), records.one(1.0, entity="Bob"), records.one(2.0, entity=WHO)

        async def story():
            for key, record, said in (
                ("a", hers, f'{{"prediction_id": "{hers.id}"}}'),
                ("b", his, f'{{"prediction_id": "{his.id}"}}'),
                ("c", nameless, '{"predictions": [0.8]}'),
            ):
                await keep(writer, [record], Replay(key, b"d" * 32, said.encode(), "application/json"))
            clock.advance(3600)
            late = Replay("d", b"d" * 32, b'{"predictions": [0.1]}', "application/json")
            await keep(writer, [records.one(3600.0, entity="Bob")], late)

        run(story())
        with closing(SqlitePredictionLog(path, durable=False)) as log:
            assert log.erase(WHO) == Held(2, 0, 2)
        assert [bool(writer.replayed(key)) for key in "abcd"] == [False, True, False, True]
        assert count_bytes(files(path), [str(hers.id).encode(), hers.id.bytes]).total() == 0


def test_name_inside_other_values_is_told_apart(tmp_path):
    """A name that is part of others' live values does not make the search fail, nor the database be written anew."""
    with closing(SqlitePredictionLog(tmp_path / "log.db", durable=False)) as log:
        records = Records()
        names = ["client-7", *(f"client-7{place}" for place in range(20))]
        log.append("churn", BINARY, [records.one(float(place), entity=name) for place, name in enumerate(names)])
        assert log.erase("client-7") == Held(1, 0, 0)
        assert log.count("churn") == 20


def test_reader_that_holds_the_wal_is_told(tmp_path, monkeypatch):
    """While somebody reads an older state, the erasure is not called done; afterwards it is."""
    monkeypatch.setattr("vigie.adapters.sqlite.file._BUSY_TIMEOUT_S", 0.1)
    path = tmp_path / "log.db"
    with closing(SqlitePredictionLog(path, durable=False)) as log, closing(sqlite3.connect(path)) as reader:
        ids = fill(log, 600)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM p_1").fetchone()
        with pytest.raises(StorageError, match="being read") as caught:
            log.erase(WHO)
        assert caught.value.retryable
        reader.rollback()
        log.erase(WHO)
        assert count_bytes(files(path), [*ids, WHO.encode()]).total() == 0


ERASER = """
import sys
from pathlib import Path
from vigie.adapters.prediction_log.sqlite import SqlitePredictionLog
log = SqlitePredictionLog(Path(sys.argv[1]), durable=False)
print("ready", flush=True)
log.erase(sys.argv[2])
print("done", flush=True)
"""


@pytest.mark.parametrize("after_ms", [0, 3, 10, 30, 100])
def test_killed_erasure_goes_on(tmp_path, after_ms):
    """After ``kill -9`` at any moment the log is whole, and the next try leaves no byte."""
    path = tmp_path / "log.db"
    with closing(SqlitePredictionLog(path, durable=False)) as log:
        ids = fill(log, 3_000)
        eraser = subprocess.Popen([sys.executable, "-c", ERASER, path, WHO], stdout=subprocess.PIPE)
        eraser.stdout.readline()
        time.sleep(after_ms / 1000)
        eraser.kill()
        eraser.communicate()
        left = log.held(WHO)
        assert left.predictions == left.outcomes <= 50
        log.erase(WHO)
        assert log.held(WHO) == Held(0, 0, 0)
        assert log.count("churn") == 3_000 - 50
        assert count_bytes(files(path), [*ids, WHO.encode()]).total() == 0


def test_age_lets_writers_through(tmp_path):
    """While 60,000 rows go by age, another connection commits again and again, and waits for none of it long."""
    path, records = tmp_path / "log.db", Records()
    waits_s, done = [], threading.Event()
    now = datetime(2026, 3, 1, tzinfo=UTC)
    with closing(SqlitePredictionLog(path, durable=False)) as log:
        for start in range(0, 60_000, 5_000):
            log.append("churn", BINARY, [records.one(float(start + place)) for place in range(5_000)])

        def write():
            with closing(SqlitePredictionLog(path, durable=False)) as other:
                while not done.is_set():
                    record = Records(9).one(0.0, id_at=now)
                    started_s = time.perf_counter()
                    fresh = PredictionRecord(uuid7(now, len(waits_s).to_bytes(10, "big")), now, "1", record.features,
                                             record.prediction)  # fmt: skip
                    other.append("churn", BINARY, [fresh])
                    waits_s.append(time.perf_counter() - started_s)

        writer = threading.Thread(target=write)
        writer.start()
        began_s = time.perf_counter()
        try:
            gone = log.expire(now - timedelta(days=1))
        finally:
            took_s = time.perf_counter() - began_s
            done.set()
            writer.join()
        assert gone.predictions == 60_000
        assert log.count("churn") == len(waits_s) > 30
        assert max(waits_s) < took_s / 2
        assert isinstance(log.find(UUID(bytes=uuid7(now, bytes(10)).bytes)), tuple)
