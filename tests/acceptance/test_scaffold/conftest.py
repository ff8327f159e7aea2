"""A fresh project, and a machine to run its jobs on, with a stand-in for the container engine: see ``engine.py``."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
GIT = "git -c user.name=x -c user.email=x@example.com -c init.defaultBranch=main"


@pytest.fixture(scope="session")
def environ(tmp_path_factory):
    """Return an environment without settings of other projects, with the stand-in for the engine in front."""
    home = tmp_path_factory.mktemp("engine")
    docker = home / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).with_name("engine.py")}" "$@"\n')
    docker.chmod(0o755)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("VIGIE_", "MLFLOW_", "PYTEST"))}
    path = os.pathsep.join([str(docker.parent), str(Path(sys.executable).parent), clean["PATH"]])
    return {**clean, "PATH": path, "OMP_NUM_THREADS": "1", "ENGINE": str(home)}


@pytest.fixture(scope="session")
def run(environ):
    """Return what runs a line of shell and returns what it printed."""

    def run(line, folder, **more):
        done = subprocess.run(
            ["/bin/bash", "-euo", "pipefail", "-c", line], cwd=folder, env={**environ, **more}, capture_output=True,
            text=True, check=False, timeout=1200, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, f"{line}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    return run


@pytest.fixture(scope="session")
def demo(tmp_path_factory, run):
    """Return a fresh project."""
    folder = tmp_path_factory.mktemp("fresh folder é")
    run(f'"{sys.executable}" -m vigie init demo --example churn', folder)
    return folder / "demo"


@pytest.fixture(scope="session")
def clone(demo, run, tmp_path_factory):
    """Return a clone of the project: what git ignores is not there, and Vigie's own wheel is, as no index has it."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", demo / "wheels"]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    run(f"{GIT} init -q && {GIT} add -A && {GIT} commit -q -m Begin", demo)
    folder = tmp_path_factory.mktemp("clone")
    run(f'git clone -q "{demo}" demo', folder)
    return folder / "demo"
