"""A new project is written once, and never over anything."""

import errno
import os
import stat

import pytest
from click.testing import CliRunner

from vigie.cli.main import cli
from vigie.errors import ConfigurationError, StorageError
from vigie.settings import load_settings
from vigie.wiring.new_project import existing, plan_project, write_project


@pytest.fixture(scope="module")
def files():
    """Return the example's files."""
    return plan_project("shop", "churn")


def test_it_is_a_project(files, tmp_path):
    """Its settings are understood, and its name is the model's."""
    write_project(tmp_path, files)
    assert load_settings(tmp_path, {}).project.name == "shop"
    assert all((tmp_path / file.path).read_text(encoding="utf-8") == file.content for file in files)


def test_secrets_are_its_owners_alone(files, tmp_path):
    """Whatever the umask says."""
    before = os.umask(0)
    try:
        write_project(tmp_path, files)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "vigie.toml").stat().st_mode) == 0o666


def test_secrets_are_made_anew():
    """No two projects share one."""
    first, second = ({file.path: file.content for file in plan_project("shop", None)} for _ in range(2))
    assert [path for path in first if first[path] != second[path]] == [".env"]


@pytest.mark.parametrize("path", ["vigie.toml", ".env", "tests/test_api.py", "logs/.gitkeep"])
def test_nothing_is_overwritten(files, tmp_path, path):
    """One file in the way, and nothing is written at all."""
    (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / path).write_text("mine")
    with pytest.raises(ConfigurationError, match="nothing is ever overwritten"):
        write_project(tmp_path, files)
    assert [found.read_text() for found in tmp_path.rglob("*") if found.is_file()] == ["mine"]


def test_a_dangling_link_is_in_the_way(files, tmp_path):
    """It would be written through."""
    (tmp_path / ".env").symlink_to(tmp_path / "elsewhere")
    assert existing(tmp_path, files) == [".env"]


def test_a_file_for_a_folder_is_in_the_way(files, tmp_path):
    """As everything that would stand below it."""
    (tmp_path / "tests").write_text("mine")
    assert {path.split("/")[0] for path in existing(tmp_path, files)} == {"tests"}


@pytest.mark.parametrize("name", ["", ".hidden", "a b", "é", "-x", "a" * 64, "a@b"])
def test_a_name_that_is_none_is_refused(name):
    """A model, an image and a folder are called by it."""
    with pytest.raises(ConfigurationError, match="cannot be a project's name"):
        plan_project(name, None)


def test_a_dry_run_writes_nothing(tmp_path):
    """It lists every file all the same."""
    done = CliRunner().invoke(cli, ["init", str(tmp_path / "shop"), "--example", "churn", "--dry-run"])
    assert done.exit_code == 0, done.output
    assert "42 files would be written" in done.output
    assert not list(tmp_path.iterdir())
    assert max(map(len, done.output.splitlines()[1:])) <= 80


def test_a_full_disk_leaves_nothing(files, tmp_path, monkeypatch):
    """What was written goes, and the folders made for it; what was there stays."""
    (tmp_path / "mine").mkdir()
    opened, calls = os.fdopen, []

    def fdopen(*arguments, **named):
        calls.append(arguments)
        if len(calls) == 9:
            os.close(arguments[0])
            raise OSError(errno.ENOSPC, "No space left on device")
        return opened(*arguments, **named)

    monkeypatch.setattr(os, "fdopen", fdopen)
    with pytest.raises(StorageError, match="No space left"):
        write_project(tmp_path, files)
    assert [found.name for found in tmp_path.rglob("*")] == ["mine"]


def test_a_file_is_no_folder(files, tmp_path):
    """It is said as it is, and the file stays."""
    (tmp_path / "shop").write_text("mine")
    with pytest.raises(ConfigurationError, match="is a file"):
        write_project(tmp_path / "shop", files)
    assert (tmp_path / "shop").read_text() == "mine"
