"""``vigie follow``: the champion's bundle where a server without MLflow reads it. About 12 CPU seconds."""

import os
import subprocess
import sys
import textwrap


def test_once_says_that_there_is_no_champion(new_project):
    """Before the first training it ends with 5 and the way out."""
    assert "vigie train" in new_project(rows=0).run("follow", "--once", expect=5).stderr


def test_a_server_without_mlflow_serves_what_was_brought(project):
    """The folder that ``stores.bundles`` names is filled, and a process without MLflow starts no follower."""
    folder = project.folder / "baked"
    told = project.run("follow", "--once", VIGIE_STORES__BUNDLES=str(folder))
    assert told.stdout == "churn: version 1 is in the cache.\n"
    assert (folder / "churn" / "champion.json").is_file()
    code = """
        import sys, os
        from importlib import util
        from pathlib import Path
        from vigie.settings import load_settings
        from vigie.wiring import serve
        find = util.find_spec
        serve.find_spec = lambda name: None if name == "mlflow" else find(name)
        serve.Follower = None  # calling it would fail
        settings = load_settings(Path(sys.argv[1]), os.environ)
        with serve._follower(settings):
            slots = serve.Slots()
            print(serve.load_champion(serve.open_cache(settings), slots, "churn", serve.trust_of(settings.bundle)))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(project.folder)],
        capture_output=True, text=True, check=True, env={"VIGIE_STORES__BUNDLES": str(folder)} | dict(os.environ),
    )  # fmt: skip
    assert done.stdout == "True\n"
