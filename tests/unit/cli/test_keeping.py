"""``vigie export``, ``expire`` and ``erase`` on a log on disk."""

import json
from contextlib import closing

import pytest
from click.testing import CliRunner

from vigie.adapters.prediction_log.sqlite import SqlitePredictionLog
from vigie.cli.main import cli
from vigie.errors import ConfigurationError
from vigie.testing.conformance.keeping import fill

TOML = '[project]\nname = "churn"\n[data]\nsource = "x.csv"\ntarget = "churn"\nentity = "client_id"\n'


@pytest.fixture
def project(tmp_path):
    """Return a project whose log holds three old days."""
    (tmp_path / "vigie.toml").write_text(TOML)
    (tmp_path / ".vigie").mkdir()
    with closing(SqlitePredictionLog(tmp_path / ".vigie" / "predictions.db", durable=False)) as log:
        fill(log)
    return tmp_path


@pytest.fixture
def run(project):
    """Return a function that runs a command in the project and gives its result."""

    def run(*arguments, expect=0, answer=None):
        done = CliRunner().invoke(cli, [*arguments, "--project", str(project)], input=answer)
        if expect is not None:
            assert done.exit_code == expect, done.output
        return done

    return run


def test_export_says_what_it_wrote(run, project):
    """The first run writes, the second has nothing to do; a misplaced range is a usage error."""
    folder = str(project / ".vigie" / "exports")
    first = json.loads(run("export", "--json").stdout)
    assert first == {
        "folder": folder, "files_written": 3, "files_unchanged": 0, "rows_written": 6, "rows_unchanged": 0,
    }  # fmt: skip
    assert run("export").stdout.startswith("0 files written with 0 predictions; 3 files up to date.")
    assert "No prediction" in run("export", "--since", "2030-01-01").stdout
    run("export", "--since", "2026-01-07", "--until", "2026-01-05", expect=2)


def test_expire_asks_how_long(run):
    """Without a setting nothing goes by age; a dry run counts, a real one deletes."""
    assert isinstance(run("expire", expect=None).exception, ConfigurationError)
    assert json.loads(run("expire", "--keep", "1d", "--dry-run", "--json").stdout)["predictions"] == 6
    gone = json.loads(run("expire", "--keep", "1d", "--json").stdout)
    assert (gone["predictions"], gone["outcomes"], gone["orphans"]) == (6, 3, 0)
    assert json.loads(run("expire", "--keep", "1d", "--json").stdout)["predictions"] == 0


def test_setting_says_how_long(run, project):
    """``stores.keep`` is what ``expire`` goes by."""
    (project / "vigie.toml").write_text(f'{TOML}[stores]\nkeep = "5000w"\n')
    assert json.loads(run("expire", "--json").stdout)["predictions"] == 0


def test_erase_asks_first(run):
    """A dry run and a no change nothing; a yes does, and asks no more with --yes."""
    run("export")
    told = json.loads(run("erase", "--entity", "client-0", "--dry-run", "--json").stdout)
    assert (told["erased"], told["predictions"], len(told["files"])) == (False, 2, 2)
    run("erase", "--entity", "client-0", expect=1, answer="n\n")
    assert json.loads(run("erase", "--entity", "client-0", "--yes", "--json").stdout)["predictions"] == 2
    assert "0 predictions" in run("erase", "--entity", "client-0", answer="y\n").stdout


def test_folder_that_was_moved_is_told(run, project):
    """Copies that are not where they were make the command end with 1, until it is told where they are."""
    out, moved = project / "out", project / "moved"
    run("export", "--out", str(out))
    out.rename(moved)
    done = run("erase", "--entity", "client-0", "--yes", expect=1)
    assert "Not found" in done.stdout
    found = json.loads(run("erase", "--entity", "client-0", "--yes", "--also", str(moved), "--json", expect=1).stdout)
    assert len(found["files"]) == 2


def test_two_at_once_are_refused(run, project, monkeypatch):
    """While one command copies or erases, another one is asked to wait."""
    from vigie.settings import load_settings  # noqa: PLC0415  a fixture's own need
    from vigie.wiring import alone  # noqa: PLC0415  idem

    monkeypatch.setattr(alone, "_WAIT_S", 0.05)
    with alone.alone(load_settings(project, {}), alone.KEEPING):
        assert "at work" in str(run("export", expect=None).exception)
    run("export")
