"""Serving needs neither MLflow nor the training stack, and a process proves it."""

import subprocess
import sys

MODULES = ("vigie.api.app", "vigie.loop.predict", "vigie.loop.open_bundle", "vigie.adapters.bundle_cache")


def test_serving_imports_neither_mlflow_nor_training():
    """A fresh interpreter that imports everything a server needs has loaded neither."""
    code = (
        f"import sys, {', '.join(MODULES)}; "
        "print([name for name in sys.modules if name.split('.')[0] == 'mlflow' or name.startswith('vigie.training')])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found.strip() == "[]"
