"""Links between pages lead somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\((?!https?://|mailto:)(?P<path>[^)#\s]*)(?:#(?P<anchor>[^)\s]+))?\)")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def anchors(page):
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_links_resolve(page):
    """Every relative link names a file or folder of the repository, and a heading where it has an anchor."""
    for link in LINK.finditer(FENCED.sub("", page.read_text(encoding="utf-8"))):
        target = (page.parent / link["path"]).resolve() if link["path"] else page
        assert target.exists(), f"{link[0]} leads nowhere"
        if link["anchor"]:
            assert link["anchor"] in anchors(target), f"{link[0]} has no such heading"


def test_every_page_is_reached_from_the_index():
    """Following links from docs/index.md, every page of docs/ turns up."""
    seen, waiting = set(), [ROOT / "docs" / "index.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        links = LINK.finditer(FENCED.sub("", page.read_text(encoding="utf-8")))
        waiting += [(page.parent / link["path"]).resolve() for link in links if link["path"]]
    assert set((ROOT / "docs").rglob("*.md")) <= seen


def test_decisions_are_short():
    """At most forty lines, numbered without gaps, with the four headings."""
    found = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert [int(path.name[:4]) for path in found] == list(range(1, len(found) + 1))
    for path in found:
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 40, path.name
        assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == [
            "Context", "Decision", "Consequences", "Revisit when",
        ]  # fmt: skip
