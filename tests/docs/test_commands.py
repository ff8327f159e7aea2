"""Every command on the pages is run by a test, or a table says why not."""

import re

import pytest
from page_commands import CLEAN_MACHINE, LIVED, NOT_RUN, PAGES, ROOT, TRANSCRIPTS, Command, commands, reason, runner

ALL = [command for page in PAGES for command in commands(page)]


@pytest.mark.parametrize("page", sorted({command.page for command in ALL}))
def test_every_command_is_run_or_the_reason_is_told(page):
    """A new one without either fails here."""
    untold = [command.line for command in ALL if command.page == page and not (reason(command) or runner(command))]
    assert untold == []


@pytest.mark.parametrize(("page", "start"), NOT_RUN)
def test_every_reason_is_for_a_command(page, start):
    """A command that left its page takes its reason along; a test that is named exists."""
    assert any(command.page == page and command.line.startswith(start) for command in ALL)
    for named in re.findall(r"(?:tests|deploy|docs)/[\w/]+\.(?:py|md)", NOT_RUN[page, start]):
        assert (ROOT / named).is_file(), named


def test_what_runs_pages_exists():
    """So do the pages, and they hold commands."""
    assert all((ROOT / file).is_file() for file in TRANSCRIPTS.values())
    pages = {command.page for command in ALL}
    assert {*TRANSCRIPTS, *LIVED} <= pages
    assert sum(command.section == CLEAN_MACHINE for command in ALL) > 10


def test_a_command_without_either_is_found():
    """The control."""
    stranger = Command("docs/how-to/serve.md", "", "vigie up", prompted=False)
    assert reason(stranger)
    assert reason(stranger._replace(page="docs/tutorial.md")) is None
    assert runner(stranger._replace(page="docs/tutorial.md")) is None


def test_commands_are_read_whole():
    """Comments and outputs are not part of them; a backslash continues them."""
    lines = [command.line for command in commands(ROOT / "docs" / "how-to" / "serve.md")]
    assert "vigie up" in lines
    assert any(line.startswith("curl ") and "satisfaction" in line for line in lines)
