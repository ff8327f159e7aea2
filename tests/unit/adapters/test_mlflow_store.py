"""A SQLite store of MLflow's that was moved or copied goes on, with MLflow as it is installed."""

import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from vigie.adapters.mlflow_registry import MlflowRegistry
from vigie.adapters.mlflow_store import artifacts_beside, follow_move, moved_from
from vigie.adapters.mlflow_tracking import MlflowTracker, open_client
from vigie.domain.model import RunRecord
from vigie.errors import RegistryError

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")  # MLflow's own use of SQLAlchemy

MEMBERS = {"manifest.json": b"{}"}


def record(folder):
    """Record a run with a file in it, and return its id."""
    database = folder / "mlflow.db"
    tracker = MlflowTracker(open_client(f"sqlite:///{database}"), artifacts=artifacts_beside(database))
    run_id = tracker.record("shop", RunRecord("train"), []).parent_id
    tracker.attach(run_id, {"report.html": b"<p>"})
    return run_id


def registry(folder):
    """Open the registry."""
    return MlflowRegistry(open_client(f"sqlite:///{folder / 'mlflow.db'}"))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a store with one version in it, in a folder whose name needs quoting in an address."""
    folder = tmp_path_factory.mktemp("first 100% é") / ".vigie"
    folder.mkdir()
    run_id = record(folder)
    registry(folder).publish("shop", MEMBERS, run_id=run_id, tags={})
    return folder


@pytest.fixture
def moved(made, tmp_path):
    """Return the store in another folder, the first one being gone for the time of the test."""
    aside = made.with_name("aside")
    made.rename(aside)
    yield shutil.copytree(aside, tmp_path / "elsewhere" / ".vigie")
    aside.rename(made)


def addresses(folder):
    """Return every address in the store, wherever it stands."""
    with closing(sqlite3.connect(folder / "mlflow.db")) as store:
        return [found for line in store.iterdump() for found in re.findall(r"file:[^']+", line)]


def test_a_moved_store_is_read(made, moved):
    """Its version is fetched from where it lies now."""
    assert moved_from(moved / "mlflow.db") == [artifacts_beside(made / "mlflow.db")]
    assert registry(moved).members("shop", "1") == MEMBERS
    assert moved_from(moved / "mlflow.db") == []


def test_no_address_of_before_is_left(moved):
    """In whatever table of MLflow's."""
    assert len(addresses(moved)) >= 4
    follow_move(moved / "mlflow.db")
    assert all(address.startswith(artifacts_beside(moved / "mlflow.db")) for address in addresses(moved))


def test_what_is_new_goes_to_the_new_place(moved, made):
    """And the old folder does not come back."""
    run_id = record(moved)
    assert (moved / "artifacts" / run_id / "artifacts" / "report.html").is_file()
    assert not made.exists()


def test_a_copy_writes_to_itself(made, tmp_path):
    """Though what it was copied from is still there, and stays as it was."""
    copy = shutil.copytree(made, tmp_path / ".vigie")
    before = sorted(made.rglob("*"))
    run_id = record(copy)
    assert (copy / "artifacts" / run_id).is_dir()
    assert sorted(made.rglob("*")) == before
    assert moved_from(made / "mlflow.db") == []


def test_one_folder_under_two_names_was_not_moved(made, tmp_path):
    """Neither name is wrong, and whoever uses the other one is not disturbed."""
    (tmp_path / "link").symlink_to(made)
    assert moved_from(tmp_path / "link" / "mlflow.db") == []


def test_a_folder_of_ones_own_is_left_alone(made, tmp_path):
    """Of an experiment whose artifacts lie elsewhere, nothing is here."""
    copy = tmp_path / "mlflow.db"
    shutil.copy(made / "mlflow.db", copy)
    assert follow_move(copy) == []


@pytest.mark.parametrize("content", [None, b"", b"this is no database " * 100])
def test_what_is_no_store_was_not_moved(tmp_path, content):
    """MLflow says what is wrong with it."""
    database = Path(tmp_path, "mlflow.db")
    if content is not None:
        database.write_bytes(content)
    assert moved_from(database) == []


@pytest.mark.parametrize("offset", [0, 4096], ids=["no database", "damaged pages"])
def test_a_broken_file_is_called_so_when_it_is_opened(made, tmp_path, offset):
    """Where it is, what is lost without a backup, and what is untouched."""
    database = tmp_path / "mlflow.db"
    content = (made / "mlflow.db").read_bytes()
    database.write_bytes(content[:offset] + b"garbage " * 50_000)
    with pytest.raises(RegistryError, match=r"its SQLite file is damaged.*bring back a backup.*untouched") as caught:
        open_client(f"sqlite:///{database}")
    assert str(database) in str(caught.value)
    assert "stores.tracking_uri" not in str(caught.value)


def test_a_file_that_breaks_while_it_is_open_is_called_so_in_one_line(tmp_path):
    """Without MLflow's statement and its parameters."""
    opened = registry(tmp_path)
    opened.alias("shop", "champion")
    (tmp_path / "mlflow.db").write_bytes(b"garbage")
    with pytest.raises(RegistryError, match="its SQLite file is damaged") as caught:
        opened.alias("shop", "champion")
    assert "SELECT" not in str(caught.value)
    assert "\n" not in str(caught.value)
