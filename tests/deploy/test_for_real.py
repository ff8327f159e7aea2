"""The image and the stack, built and run; each skips where its programs are not to be had, and says so."""

import subprocess
import sys

import pytest

CANNOT = 2


def run(script, *arguments):
    """Run one of the scripts that ``make`` runs; skip when it says that it cannot be done here."""
    command = [sys.executable, str(script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1_800)
    if done.returncode == CANNOT:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.docker
@pytest.mark.timeout(1_900)
def test_the_images_keep_their_promises(deploy):
    """Built from the unmodified Dockerfile: one trains, one answers, is hardened, stops, dies and keeps its log."""
    run(deploy / "image.py", "--target", "train")


@pytest.mark.docker
@pytest.mark.stack
@pytest.mark.timeout(1_900)
def test_compose_comes_up_pages_and_leaves_nothing(deploy):
    """As it is, with a page that arrives when its server is stopped."""
    run(deploy / "compose_trial.py")


@pytest.mark.stack
@pytest.mark.timeout(1_900)
def test_each_trouble_delivers_its_alert(deploy):
    """An error burst, changed inputs and a stopped server, by real Prometheus and Alertmanager; dashboards answered."""
    run(deploy / "stack.py")
