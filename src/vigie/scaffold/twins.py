"""What a project has in common with this repository's own deployment: rules, dashboards, runbooks, the server's lock.

No text stands twice. ``shared`` holds links to where each thing lives in a checkout; a wheel has the files themselves.
"""

import re
from importlib.resources import files
from typing import Final

RUNBOOKS: Final = "monitoring/runbooks.md"

_SHARED = files("vigie.scaffold") / "shared"
_PAGE = re.compile(r"docs/how-to/runbooks/([a-z-]+)\.md")
_LINK = re.compile(r"\[([^\]]+)\]\(([^)]+)\)")


def twin(path: str) -> str:
    """Return a shared file's text, with the runbooks where a project has them.

    Args:
        path: below ``shared``.
    """
    text = _SHARED.joinpath(path).read_text(encoding="utf-8")
    return _PAGE.sub(lambda page: f"{RUNBOOKS}#{page[1].replace('-', '')}", text)


def runbooks() -> str:
    """Return the runbooks of every alert as one page, a heading each."""
    pages = sorted(page.name for page in _SHARED.joinpath("runbooks").iterdir() if page.name.startswith("vigie-"))
    return "# Runbooks\n\nWhat to do when an alert of `rules/` fires.\n" + "".join(f"\n{_part(name)}" for name in pages)


def _part(name: str) -> str:
    text = _SHARED.joinpath("runbooks", name).read_text(encoding="utf-8")
    return _LINK.sub(_link, re.sub(r"^#", "##", text, flags=re.MULTILINE))


def _link(found: re.Match[str]) -> str:
    """Return a link to another runbook as one within the page, and any other as its words."""
    words, target = found[1], found[2]
    return f"[{words}](#{target.removesuffix('.md').replace('-', '')})" if target.startswith("vigie-") else words
