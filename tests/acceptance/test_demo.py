"""The demo tells the loop's whole story and ends by itself."""

import os
import re
import subprocess
import sys
import time

import psutil
import pytest


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_demo_turns_the_loop_once(tmp_path):
    """A champion, traffic, a drift alarm on three features, a retrain, a gate, a promotion, no failed request."""
    line = [sys.executable, "-m", "vigie", "demo", "--once", "--keep", str(tmp_path / "demo")]
    # Settings of another project must not reach the demo, nor its server.
    environ = {
        **os.environ,
        "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path / 'another.db'}",
        "VIGIE_PROJECT__NAME": "other",
    }
    done = subprocess.run(line, capture_output=True, text=True, timeout=580, check=False, env=environ)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    story = " ".join(done.stdout.split())
    assert "Version 1 is the champion" in story
    assert "Inputs changed: anciennete_mois, montant_mensuel, nb_reclamations." in story
    assert "Retrain:" in story
    assert re.search(r"Gate: promote version 2\. .*lower by [\d.]+ \[[\d.]+, [\d.]+; 90 %\]", story)
    assert "Promoted version 2, after version 1." in story
    assert "The server answers with version 2" in story
    counted = re.search(r"([\d,]+) requests, (\d+) failed; ([\d,]+) predictions \(.*\); ([\d,]+) in the log", story)
    assert counted, story
    assert counted[2] == "0"
    assert int(counted[3].replace(",", "")) >= 1_000
    assert counted[3] == counted[4]
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_told_to_end_the_demo_leaves_nothing_behind(tmp_path):
    """SIGTERM while its server runs: no process is left, and no folder."""
    environ = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-m", "vigie", "demo"], stdout=subprocess.DEVNULL, env=environ) as demo:
        while not list(tmp_path.glob("vigie-demo-*/server.log")):
            assert demo.poll() is None
            time.sleep(0.05)
        started = psutil.Process(demo.pid).children(recursive=True)
        assert started
        demo.terminate()
    assert [process for process in started if process.is_running()] == []
    assert list(tmp_path.iterdir()) == []
