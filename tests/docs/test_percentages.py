"""Percentages have one form in what users read: 95 %."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
CODE = [path for path in sorted((ROOT / "src").rglob("*.py")) if path.name != "style.py"]  # CSS has its own form

TIGHT = re.compile(r'(?<!"\.)\d%(?!\w)')  # a chart is told ".0%" and writes the blank
FORMATTED = re.compile(r":[.\d]*%\}")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_leave_a_blank_before_the_sign(page):
    """Transcripts too."""
    assert [line for line in page.read_text(encoding="utf-8").splitlines() if TIGHT.search(line)] == []


def test_code_writes_no_percentage_of_its_own():
    """``reporting.wording.percent`` does, with the blank."""
    found = {path.name: line for path in CODE for line in path.read_text(encoding="utf-8").splitlines()
             if TIGHT.search(line) or FORMATTED.search(line)}  # fmt: skip
    assert found == {}
