"""One process of a project at a time."""

import pytest

from vigie.errors import StorageError
from vigie.settings import load_settings
from vigie.wiring import alone as room
from vigie.wiring.alone import KEEPING, WATCHING, alone
from vigie.wiring.watch import one_turn

TOML = '[project]\nname = "churn"\n[data]\nsource = "x.csv"\ntarget = "churn"\n'


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """Return those of a project; who waits in vain gives up at once."""
    monkeypatch.setattr(room, "_WAIT_S", 0.05)
    (tmp_path / "vigie.toml").write_text(TOML)
    return load_settings(tmp_path, {})


def test_a_second_watcher_takes_no_turn(settings):
    """It touches nothing of the loop: the window would be judged, and its alarm told, twice."""
    untouched = None
    with alone(settings, WATCHING), pytest.raises(StorageError, match="another watcher is at work"):
        one_turn(untouched, settings)
    with pytest.raises(AttributeError):  # control: alone, it begins
        one_turn(untouched, settings)


def test_a_turn_and_an_export_do_not_wait_for_each_other(settings):
    """Only the same work does."""
    with alone(settings, WATCHING), alone(settings, KEEPING):
        pass
