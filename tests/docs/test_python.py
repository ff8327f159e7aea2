"""Python on the pages runs."""

import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").rglob("*.md"))

_PROJECT = """\
[project]
name = "churn"

[data]
source = "data:load"
target = "churn"
positive = "oui"
entity = "client_id"

[training]
candidates = ["logistic"]
report = false
"""
_SOURCE = "from vigie.testing.tables import churn_table\n\n\ndef load():\n    return churn_table(600, seed=1)\n"


def examples(transcript):
    """Return every page's Python that is not a file of its own, in the order of the pages."""
    return [
        (str(page.relative_to(ROOT)), block["body"])
        for page in PAGES
        for block in transcript.BLOCK.finditer(page.read_text(encoding="utf-8"))
        if block["kind"] == "python" and not block["title"]
    ]


@pytest.mark.slow
def test_python_examples_run(transcript, tmp_path):
    """In one small project, in the order of the pages (the first one trains), each in a namespace of its own."""
    found = examples(transcript)
    assert [page for page, _ in found] == [
        "docs/how-to/bring-your-data.md",
        "docs/how-to/export-and-erase.md",
        "docs/how-to/register-a-model.md",
        "docs/how-to/run-in-cron-or-ci.md",
        "docs/how-to/use-a-model-in-python.md",
    ]
    (tmp_path / "vigie.toml").write_text(_PROJECT)
    (tmp_path / "data.py").write_text(_SOURCE)
    exported = tmp_path / ".vigie" / "exports" / "model=churn" / "day=2026-11-22"
    exported.mkdir(parents=True)
    pq.write_table(pa.table({"id": ["01a2020d"]}), exported / "part-0.parquet")
    program = "\n".join(f"exec({code!r}, {{}})" for _, code in found)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "logistic 1\nLogisticRegression 2 compiled\nchurn oui ('non', 'oui') (1, 2)\n"
