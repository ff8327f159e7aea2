"""The watcher lets go what the settings do not keep."""

from types import SimpleNamespace

from vigie.settings import load_settings
from vigie.testing.conformance.keeping import fill
from vigie.wiring.keeping import open_memory
from vigie.wiring.watch import _expire

TOML = '[project]\nname = "churn"\n[data]\nsource = "x.csv"\ntarget = "churn"\n[stores]\n'


def test_watcher_lets_old_days_go(tmp_path):
    """Without ``stores.keep`` everything stays for ever; with it, old days go after a turn."""
    for keep, left in (("", 6), ('keep = "30d"', 0)):
        (tmp_path / "vigie.toml").write_text(TOML + keep)
        settings = load_settings(tmp_path, {})
        with open_memory(settings) as memory:
            if not keep:
                fill(memory.log)
            _expire(SimpleNamespace(memory=memory), settings)
            assert memory.log.count("churn") == left
