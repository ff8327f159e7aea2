"""The image and the stack, built and run; each skips where its programs are not to be had, and says so."""

import subprocess
import sys

import pytest

CANNOT = 2


def run(script):
    """Run one of the scripts that ``make`` runs; skip when it says that it cannot be done here."""
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False, timeout=1_800)
    if done.returncode == CANNOT:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.docker
@pytest.mark.timeout(1_900)
def test_the_serving_image_keeps_its_promises(deploy):
    """Built from the unmodified Dockerfile: answers, healthy, hardened, stops, keeps its log. About 2 minutes cold."""
    run(deploy / "image.py")


@pytest.mark.stack
@pytest.mark.timeout(1_900)
def test_each_trouble_delivers_its_alert(deploy):
    """An error burst, changed inputs and a stopped server, by real Prometheus and Alertmanager. About 2 minutes."""
    run(deploy / "stack.py")
