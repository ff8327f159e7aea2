"""Files and functions stay small enough to be read."""

import ast
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "vigie"
FILES = sorted(
    [*SOURCE.rglob("*.py"), *(path for path in (ROOT / "benchmarks").rglob("*.py") if "/.venv/" not in str(path))]
)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_file_outgrows_its_room(file: Path) -> None:
    """No file has more than 400 lines."""
    assert len(file.read_text().splitlines()) <= 400


def test_the_median_file_is_short() -> None:
    """Half of the files have fewer than 150 lines."""
    assert median(len(file.read_text().splitlines()) for file in FILES) < 150


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_function_is_longer_than_fifty_lines(file: Path) -> None:
    """A function fits a screen; its docstring is not counted."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
            assert (node.end_lineno or 0) - first.lineno < 50, f"{file.name}: {node.name}"
