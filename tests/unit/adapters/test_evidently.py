"""Evidently's environment, asked from outside; in its place a program that says what it was given."""

import json
import sys

import pandas as pd
import pytest

from vigie.adapters.evidently import write_evidently
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.errors import ConfigurationError, StorageError

SCHEMA = Schema((Feature("n", Kind.NUMBER), Feature("c", Kind.CATEGORY)), Target("t", Task.REGRESSION))
REFERENCE, CURRENT = pd.DataFrame({"n": [1.0, 2.0], "c": ["a", None]}), pd.DataFrame({"n": [3.0], "c": ["b"]})
STAND_IN = """#!{python}
import json, os, sys
import pyarrow.parquet as pq
isolated, script, reference, current, out, columns = sys.argv[1:]
told = [isolated, os.path.basename(script), pq.read_table(reference).num_rows, pq.read_table(current).num_rows,
        json.loads(columns), os.environ["DO_NOT_TRACK"], "SECRET" in os.environ]
{what}
"""


@pytest.fixture
def environment(tmp_path):
    """Return what makes an environment whose Python does as told."""

    def make(what):
        python = tmp_path / "env" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(STAND_IN.format(python=sys.executable, what=what), encoding="utf-8")
        python.chmod(0o755)
        return tmp_path / "env"

    return make


def test_it_gets_both_tables_and_nothing_of_ours(environment, tmp_path, monkeypatch):
    """Columns by kind, two files, no telemetry, and no environment of ours."""
    monkeypatch.setenv("SECRET", "x")
    out = tmp_path / "out.html"
    write_evidently(environment("open(out, 'w').write(json.dumps(told))"), SCHEMA, (REFERENCE, CURRENT), out)
    assert json.loads(out.read_text()) == [
        "-I", "evidently_child.py", 2, 1, {"numeric": ["n"], "category": ["c"]}, "1", False,
    ]  # fmt: skip


def test_an_environment_that_is_not_there_is_told_how_to_make(tmp_path):
    """With the versions that import together."""
    with pytest.raises(ConfigurationError, match=r"python -m venv .*evidently==0\.7\.23.*pandas==3\.0\.6"):
        write_evidently(tmp_path / "none", SCHEMA, (REFERENCE, CURRENT), tmp_path / "out.html")


@pytest.mark.parametrize("what", ["sys.exit('ImportError: no such thing')", "pass"])
def test_a_failure_is_told_in_a_sentence(environment, tmp_path, what):
    """Its last word, or that there was none."""
    with pytest.raises(StorageError, match=r"It failed: (ImportError: no such thing|no word)"):
        write_evidently(environment(what), SCHEMA, (REFERENCE, CURRENT), tmp_path / "out.html")
