"""Environments of peers, and the locks they are built from."""

import re
from pathlib import Path

import pytest

from benchmarks import environments
from benchmarks.environments import ENVIRONMENTS, Environment, EnvironmentFailedError, environment

LOCKS = sorted(ENVIRONMENTS.glob("*/requirements.txt"))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.parent.name)
def test_locks_are_whole_and_name_no_host(lock: Path) -> None:
    """Every package has one exact version and at least one hash, and nothing says where it comes from."""
    entries = re.split(r"\n(?=\S)", lock.read_text().strip())
    assert entries
    assert [
        entry for entry in entries if not re.match(r"[\w.-]+==\S+.*\\\n    --hash=sha256:[0-9a-f]{64}", entry)
    ] == []
    assert re.search(r"https?://|file:|--(extra-)?index|--find-links", lock.read_text()) is None


@pytest.fixture(params=["uv", "pip"])
def _installer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install with uv, and without it."""
    if request.param == "pip":
        monkeypatch.setattr(environments, "_uv", lambda: None)
    elif environments._uv() is None:
        pytest.skip("uv is not installed here")


@pytest.mark.usefixtures("_installer")
def test_a_lock_without_hashes_is_not_installed(tmp_path: Path) -> None:
    """What cannot be installed is said, with the installer's reason; nothing is fetched without a hash."""
    (tmp_path / "requirements.txt").write_text("numpy==2.4.6\n")
    lines: list[str] = []
    with pytest.raises(EnvironmentFailedError, match=r"(?i)hash"):
        Environment(tmp_path).build(lines.append)
    assert "building" in lines[0]
    assert not Environment(tmp_path).is_ready


@pytest.mark.usefixtures("_installer")
def test_an_environment_is_built_once_per_lock(tmp_path: Path) -> None:
    """A built environment is used again; a changed lock asks for a new one."""
    lock, lines = tmp_path / "requirements.txt", list[str]()
    lock.write_text("# nothing\n")
    place = Environment(tmp_path)
    place.build(lines.append)
    place.build(lines.append)
    assert place.is_ready
    assert len(lines) == 1
    lock.write_text("# nothing, changed\n")
    assert not place.is_ready


def test_an_unknown_environment_is_refused() -> None:
    """A misspelt name is no empty environment."""
    with pytest.raises(ValueError, match="no requirements"):
        environment("nowhere")
