"""The two scripts that keep the pages true."""

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def script(name):
    """Import a script of ``docs/``."""
    spec = importlib.util.spec_from_file_location(f"vigie_docs_{name}", ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def transcript():
    """Return the script that runs pages."""
    return script("transcript")


@pytest.fixture(scope="session")
def generate():
    """Return the script that writes the reference."""
    return script("generate")
