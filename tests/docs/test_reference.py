"""An undocumented command, setting, error, exit code, problem or metric fails the build."""

import re
from dataclasses import fields
from pathlib import Path

import click
import pytest
from prometheus_client import CollectorRegistry

from vigie.api import access, wire
from vigie.api import errors as api_errors
from vigie.api.errors import MEANINGS, Meaning
from vigie.api.telemetry import Telemetry
from vigie.cli.exits import MEANINGS as EXITS
from vigie.cli.main import COMMANDS, cli
from vigie.errors import VigieError
from vigie.inference.slots import Slots
from vigie.settings import SECTIONS
from vigie.training.candidates import CANDIDATES

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(DOCS.rglob("*.md"))


def page(name):
    """Return a reference page."""
    return (DOCS / "reference" / name).read_text(encoding="utf-8")


def subclasses(kind):
    """Return an error's class and all below it."""
    return [kind, *(below for child in kind.__subclasses__() for below in subclasses(child))]


@pytest.mark.parametrize("path", PAGES, ids=[str(path.relative_to(DOCS)) for path in PAGES])
def test_generated_parts_are_fresh(generate, path):
    """Each part is what the code says now; `python docs/generate.py` renews it."""
    found = path.read_text(encoding="utf-8")
    assert generate.generated(found) == found


def test_every_part_stands_on_a_page(generate):
    """A part that no page shows would never be seen stale."""
    text = "".join(path.read_text(encoding="utf-8") for path in PAGES)
    assert set(re.findall(r"<!-- generated: ([a-z-]+) -->", text)) == set(generate.PARTS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented(name):
    """With every option it takes, under a heading of its own, and the same first line as in the list of commands."""
    command = cli.get_command(None, name)
    section = page("commands.md").split(f"## vigie {name}\n")[1].split("\n## ")[0]
    context = click.Context(command)
    for parameter in command.params:
        is_option = isinstance(parameter, click.Option)
        for shown in [*parameter.opts, *parameter.secondary_opts] if is_option else [parameter.make_metavar(context)]:
            assert shown in section
    assert command.help.splitlines()[0] == COMMANDS[name]


@pytest.mark.parametrize(("section", "kind"), SECTIONS.items())
def test_every_setting_is_documented(section, kind):
    """Key, environment variable and meaning, in its section."""
    text = page("settings.md").split(f"## [{section}]\n")[1].split("\n## ")[0]
    for item in fields(kind):
        assert f"| `{item.name}` |" in text
        assert f"`VIGIE_{section}__{item.name}`".upper() in text.upper()
        assert item.metadata["doc"] in text


def test_every_error_is_documented():
    """By name, with what its docstring says first."""
    for kind in subclasses(VigieError):
        if kind.__module__ == "vigie.errors":
            assert f"| `{kind.__name__}` | {kind.__doc__.splitlines()[0]} |" in page("errors.md")


def test_every_exit_code_is_documented():
    """Each with its meaning."""
    for code, meaning in EXITS.items():
        assert f"| {code} | {meaning} |" in page("exit-codes.md")


def test_every_problem_is_documented():
    """Those of the error table and those of the edge."""
    edge = [value for module in (api_errors, access, wire) for value in vars(module).values()
            if isinstance(value, Meaning)]  # fmt: skip
    for meaning in (*MEANINGS.values(), *edge):
        assert f"| `{meaning.slug}` | {meaning.status} |" in page("http.md")


def test_every_metric_is_documented():
    """As Prometheus names it."""
    registry: CollectorRegistry = Telemetry(Slots()).registry
    for metric in registry.collect():
        name = f"{metric.name}_total" if metric.type == "counter" else metric.name
        assert f"| `{name}` | {metric.type} |" in page("metrics.md")


def test_every_candidate_is_documented():
    """By name."""
    for name in CANDIDATES:
        assert f"| `{name}` |" in page("settings.md")
