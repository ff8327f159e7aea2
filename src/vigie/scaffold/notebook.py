"""A notebook from a page of Markdown: its Python blocks become code cells, what stands between them text."""

import json
import re
from typing import Any

_CODE = re.compile(r"^```python\n(.*?)^```\n", re.MULTILINE | re.DOTALL)


def notebook(page: str) -> str:
    """Return the page as a Jupyter notebook, format 4.5, without outputs; the same page gives the same bytes."""
    cells: list[dict[str, Any]] = []
    for place, part in enumerate(_CODE.split(page)):
        text = part.strip("\n")
        if not text:
            continue
        cell: dict[str, Any] = {"id": f"cell-{len(cells)}", "metadata": {}, "source": text.splitlines(keepends=True)}
        if place % 2:  # what the group of the pattern matched
            cells.append({"cell_type": "code", "execution_count": None, "outputs": [], **cell})
        else:
            cells.append({"cell_type": "markdown", **cell})
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    made = {"cells": cells, "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}}}
    return json.dumps({**made, "nbformat": 4, "nbformat_minor": 5}, indent=1, ensure_ascii=False) + "\n"
