"""Where the delivery's files are, and the tools that check them, where a machine has them."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def deploy():
    """Return the folder of what is deployed."""
    return ROOT / "deploy"


@pytest.fixture(scope="session")
def tool():
    """Return a function that runs a program, or skips where the machine has none of that name."""

    def run(name, *arguments):
        program = shutil.which(name)
        if program is None:
            pytest.skip(f"{name} is not installed")
        return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False)

    return run


@pytest.fixture(scope="session")
def generator(deploy):
    """Return the module that writes the dashboards."""
    pytest.importorskip("grafana_foundation_sdk", reason="grafana-foundation-sdk is not installed")
    spec = importlib.util.spec_from_file_location("vigie_dashboards", deploy / "grafana" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
