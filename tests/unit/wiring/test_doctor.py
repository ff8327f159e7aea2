"""Each check says what it found, and what to do; none changes anything."""

import json
import os
import socket
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
from click.testing import CliRunner

from vigie.adapters.clock import SystemClock
from vigie.adapters.ledger.sqlite import SqliteLedger
from vigie.cli.main import cli
from vigie.domain.event import Event, EventKind
from vigie.domain.measurement import Verdict
from vigie.wiring.doctor import CHECKS, examine, judged_space

TOML = '[project]\nname = "shop"\n[data]\nsource = "table.csv"\ntarget = "y"\n[serving]\nport = 0\n'


@pytest.fixture
def folder(tmp_path):
    """Return a project that nothing was done with yet."""
    (tmp_path / "vigie.toml").write_text(TOML)
    (tmp_path / "table.csv").write_text("x,y\n1,2\n")
    return tmp_path


def checks(folder, **environ):
    """Return every check by name."""
    return {check.name: check for check in examine(folder, environ)}


def test_a_new_project_has_nothing_wrong(folder):
    """What is not there yet is unknown, and says what makes it."""
    found = checks(folder)
    assert list(found) == ["python", "settings", *CHECKS]
    assert {name for name, check in found.items() if check.verdict is Verdict.UNKNOWN} == {
        "log", "ledger", "registry", "bundle",
    }  # fmt: skip
    assert all(check.verdict in (Verdict.OK, Verdict.UNKNOWN) for check in found.values())
    assert "vigie train" in found["registry"].remedy


def test_looking_makes_nothing(folder):
    """No store, no folder, no file."""
    before = sorted(folder.rglob("*"))
    checks(folder)
    assert sorted(folder.rglob("*")) == before


def test_settings_that_are_wrong_end_it(folder):
    """The rest cannot be looked at."""
    (folder / "vigie.toml").write_text(TOML + "prot = 1\n")
    found = checks(folder)
    assert list(found) == ["python", "settings"]
    assert found["settings"].verdict is Verdict.ALARM
    assert "'port'" in found["settings"].found


def test_a_missing_table(folder):
    """It is named."""
    (folder / "table.csv").unlink()
    found = checks(folder)["data"]
    assert (found.verdict, found.found) == (Verdict.ALARM, "There is no table.csv.")


@pytest.mark.parametrize(
    ("free", "verdict"),
    [(0, "alarm"), (200 * 2**20 - 1, "alarm"), (200 * 2**20, "warn"), (2 * 2**30 - 1, "warn"), (2 * 2**30, "ok")],
)
def test_free_space(tmp_path, free, verdict):
    """Below 200 MiB the log is about to refuse, below 2 GiB somebody should know."""
    assert judged_space(free, tmp_path).verdict is Verdict(verdict)


def test_a_port_that_something_else_uses(folder):
    """It is no server of Vigie's: it answers nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        listener.close()
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", port))
            found = checks(folder, VIGIE_SERVING__PORT=str(port))["port"]
    assert found.verdict is Verdict.ALARM
    assert "serving.port" in found.remedy


def test_a_clock_behind_the_ledger(folder):
    """An hour ahead of now, an event says that the clock went back."""
    (folder / ".vigie").mkdir()
    ledger = SqliteLedger(folder / ".vigie" / "ledger.db", clock=SystemClock())
    later = SystemClock().now() + timedelta(hours=1)
    ledger.append(
        Event(kind=EventKind.TRAINED, at=later, model="shop", version=None, summary="x", reasons=(), evidence={})
    )
    ledger.close()
    found = checks(folder)
    assert found["clock"].verdict is Verdict.ALARM
    assert found["ledger"].found == "1 event in the ledger."


def test_a_server_that_wants_keys_wants_one_of_the_watcher_too(folder):
    """Its metrics are closed to whoever has none; with one, or without any key at all, nothing is wrong."""
    assert checks(folder)["keys"].verdict is Verdict.OK
    CliRunner().invoke(cli, ["keys", "new", "shop", "--project", str(folder)])
    found = checks(folder)["keys"]
    assert (found.verdict, "monitoring.service_key" in found.remedy) == (Verdict.WARN, True)
    assert checks(folder, VIGIE_MONITORING__SERVICE_KEY="${WATCHER_KEY}")["keys"].verdict is Verdict.OK


def test_columns_wait_for_a_champion(folder):
    """Only a model can say whether they are features; where none is named there is nothing to ask."""
    assert checks(folder)["columns"].verdict is Verdict.OK
    assert checks(folder, VIGIE_MONITORING__CALENDAR="hour")["columns"].verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(("insecure", "verdict"), [("false", Verdict.ALARM), ("true", Verdict.WARN)])
def test_a_server_beyond_this_machine_without_keys(folder, insecure, verdict):
    """It would not start; or it would, and anybody could ask."""
    found = checks(folder, VIGIE_SERVING__HOST="0.0.0.0", VIGIE_ACCESS__INSECURE=insecure)["keys"]  # noqa: S104  not listened on
    assert found.verdict is verdict
    assert "vigie keys new" in found.remedy


def test_a_store_that_is_none(folder):
    """A broken file is told, and the other checks go on."""
    (folder / ".vigie").mkdir()
    (folder / ".vigie" / "predictions.db").write_bytes(b"not a database" * 100)
    found = checks(folder)
    assert found["log"].verdict is Verdict.ALARM
    assert found["port"].verdict is Verdict.OK


def test_a_folder_that_cannot_be_written(folder):
    """Root may write anywhere, so a file stands where the folder should be."""
    (folder / ".vigie").write_text("")
    found = checks(folder)
    assert {"disk", "keys"} & {name for name, check in found.items() if check.verdict is Verdict.ALARM}


@pytest.mark.parametrize(("port", "code"), [("0", 0), ("", 1)])
def test_the_exit_code_says_it(folder, port, code):
    """As JSON, the verdict is the gravest."""
    if not port:
        (folder / "table.csv").unlink()
    done = CliRunner().invoke(cli, ["doctor", "--project", str(folder), "--json"], env=dict.fromkeys(
        (name for name in os.environ if name.startswith("VIGIE_")), None))  # fmt: skip
    assert done.exit_code == code, done.output
    assert json.loads(done.output)["verdict"] == ("alarm" if code else "unknown")


def test_a_project_that_was_moved(folder):
    """MLflow still looks where it was; it is said, and nothing is changed."""
    state = folder / ".vigie"
    (state / "artifacts" / "model").mkdir(parents=True)
    with closing(sqlite3.connect(state / "mlflow.db")) as store:
        store.executescript(
            "CREATE TABLE experiments (artifact_location); CREATE TABLE runs (artifact_uri);"
            "CREATE TABLE logged_models (artifact_location); CREATE TABLE model_versions (source, storage_location);"
            "INSERT INTO experiments VALUES ('file:///gone/.vigie/artifacts');"
            "INSERT INTO model_versions VALUES ('file:///gone/.vigie/artifacts/model', NULL);"
        )
    before = (state / "mlflow.db").read_bytes()
    found = checks(folder)
    assert found["registry"].verdict is Verdict.WARN
    assert "file:///gone/.vigie/artifacts" in found["registry"].found
    assert found["bundle"].verdict is Verdict.UNKNOWN
    assert (state / "mlflow.db").read_bytes() == before
