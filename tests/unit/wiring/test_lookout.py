"""A store that rests is left alone; one that was written, or that failed, is asked."""

import os

from vigie.wiring.follow import ALL_THE_SAME_S, Lookout


def test_a_sqlite_store_is_asked_when_its_file_was_written(tmp_path):
    """Once at first, then only after a write, whether it changed the size or only the time."""
    store = tmp_path / "mlflow.db"
    store.write_bytes(b"one")
    lookout = Lookout(f"sqlite:///{store}")
    assert [lookout.is_due(1.0), lookout.is_due(2.0)] == [True, False]
    store.write_bytes(b"three")
    assert [lookout.is_due(3.0), lookout.is_due(4.0)] == [True, False]
    os.utime(store, (1, 1))
    assert lookout.is_due(5.0)


def test_a_store_that_rests_is_asked_once_a_minute(tmp_path):
    """In case its file system keeps times too coarsely."""
    lookout = Lookout(f"sqlite:///{tmp_path / 'mlflow.db'}")
    assert [lookout.is_due(1.0), lookout.is_due(ALL_THE_SAME_S), lookout.is_due(1.0 + ALL_THE_SAME_S)] == [
        True,
        False,
        True,
    ]


def test_after_a_failure_it_is_asked_again(tmp_path):
    """Whether or not the file has changed."""
    lookout = Lookout(f"sqlite:///{tmp_path / 'mlflow.db'}")
    lookout.is_due(1.0)
    lookout.again()
    assert lookout.is_due(2.0)


def test_a_server_is_asked_every_time():
    """There is no file to look at."""
    lookout = Lookout("http://127.0.0.1:5000")
    assert [lookout.is_due(float(second)) for second in range(3)] == [True] * 3
