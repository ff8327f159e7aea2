"""What ``vigie.testing`` promises to those who import it."""

import subprocess
import sys

import vigie.testing
from vigie.testing import conformance


def test_fakes_need_no_test_runner():
    """Importing the fakes loads neither pytest nor a database; control: importing the suites loads pytest."""
    code = "import sys, {}; print('pytest' in sys.modules, 'sqlite3' in sys.modules)"
    found = [
        subprocess.run(
            [sys.executable, "-c", code.format(module)], capture_output=True, text=True, check=True
        ).stdout.split()
        for module in ("vigie.testing", "vigie.testing.conformance")
    ]
    assert found[0] == ["False", "False"]
    assert found[1][0] == "True"


def test_public_names_exist():
    """Every published name is there, in order."""
    for module in (vigie.testing, conformance):
        assert sorted(module.__all__) == list(module.__all__)
        assert all(hasattr(module, name) for name in module.__all__)
