"""A registry that opens MLflow only when it must."""

import sqlite3
from contextlib import closing

import pytest

from vigie.adapters.bundle_cache import BundleCache
from vigie.adapters.sparing_registry import LateTracker, SparingRegistry, alias_in
from vigie.domain.model import RunRecord
from vigie.errors import ModelNotFoundError
from vigie.testing import FakeClock, InMemoryRegistry, InMemoryTracker

MEMBERS = {"manifest.json": b"{}", "card.md": b"# churn"}


class Opened:
    """A registry behind a door, and how often the door was opened."""

    def __init__(self):
        self.registry = InMemoryRegistry(FakeClock())
        self.times = 0

    def __call__(self):
        """Open it."""
        self.times += 1
        return self.registry


@pytest.fixture
def opened():
    """Return a closed door, with one version behind it that an alias names."""
    door = Opened()
    door.registry.publish("churn", MEMBERS, run_id="r", tags={})
    door.registry.point("churn", "champion", "1")
    return door


@pytest.fixture
def store(tmp_path):
    """Return MLflow's table of aliases with one row."""
    file = tmp_path / "mlflow.db"
    with closing(sqlite3.connect(file)) as made:
        made.execute("CREATE TABLE registered_model_aliases (workspace TEXT, name TEXT, alias TEXT, version INTEGER)")
        made.execute("INSERT INTO registered_model_aliases VALUES ('default', 'churn', 'champion', 7)")
        made.commit()
    return file


def test_an_alias_in_the_store_needs_no_mlflow(store, opened):
    """One row of the file answers."""
    assert SparingRegistry(f"sqlite:///{store}", None, opened).alias("churn", "champion") == "7"
    assert opened.times == 0


def test_the_store_is_only_read(tmp_path):
    """Asking where there is no store makes none."""
    assert alias_in(tmp_path / "mlflow.db", "churn", "champion") is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("uri", ["sqlite:///{}/absent.db", "http://127.0.0.1:9", "sqlite:///{}/other.db"])
def test_what_the_file_cannot_tell_is_asked_of_the_registry(tmp_path, opened, uri):
    """No file, a server, a file of another layout: the registry is opened, once."""
    (tmp_path / "other.db").write_text("this is not a database, and long enough to be looked at " * 50)
    sparing = SparingRegistry(uri.format(tmp_path), None, opened)
    assert [sparing.alias("churn", "champion") for _ in range(2)] == ["1", "1"]
    assert opened.times == 1


def test_an_alias_that_is_not_in_the_file_is_asked_for(store, opened):
    """Some aliases MLflow makes up, so that absence in the table is no answer."""
    assert SparingRegistry(f"sqlite:///{store}", None, opened).alias("churn", "challenger") is None
    assert opened.times == 1


def test_a_cached_bundle_needs_no_mlflow(tmp_path, store, opened):
    """A version never changes: the cache answers for those it holds, the registry for others."""
    cache = BundleCache(tmp_path / "bundles")
    cache.store("churn", "7", MEMBERS)
    sparing = SparingRegistry(f"sqlite:///{store}", cache, opened)
    assert sparing.members("churn", "7") == MEMBERS
    assert opened.times == 0
    assert sparing.members("churn", "1") == MEMBERS
    with pytest.raises(ModelNotFoundError):
        sparing.members("churn", "9")
    assert opened.times == 1


def test_everything_else_goes_to_the_registry(store, opened):
    """What is written, and what changes, is MLflow's."""
    sparing = SparingRegistry(f"sqlite:///{store}", None, opened)
    assert sparing.publish("churn", MEMBERS, run_id="r", tags={}).version == "2"
    sparing.sign("churn", "2", b"signed")
    sparing.point("churn", "challenger", "2")
    assert sparing.signature("churn", "2") == b"signed"
    assert sparing.version("churn", "challenger").version == "2"
    assert [version.version for version in sparing.versions("churn")] == ["1", "2"]
    assert opened.times == 1


def test_a_tracker_is_opened_when_there_is_something_to_keep():
    """Once."""
    tracker, times = InMemoryTracker(), []
    late = LateTracker(lambda: times.append(1) or tracker)
    assert times == []
    run_id = late.record("churn", RunRecord("a run"), []).parent_id
    late.attach(run_id, {"card.md": b"# churn"})
    assert times == [1]
