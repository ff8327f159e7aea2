"""A new project as a list of files, from its name and what only this machine knows."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Final

from vigie.scaffold.files import LOCAL, PURPOSES, SHARED, ProjectFile
from vigie.scaffold.notebook import notebook
from vigie.scaffold.twins import RUNBOOKS, runbooks, twin

_TEMPLATES = files("vigie.scaffold") / "templates"
_HASH_SUFFIXES: Final = frozenset({".toml", ".yml", ".yaml", ".txt", ".mk", ".lock"})
_HASH_NAMES: Final = frozenset({"Makefile", "Dockerfile", ".dockerignore", ".gitignore", ".env"})


@dataclass(frozen=True, slots=True)
class Blanks:
    """What is filled into the templates.

    Attributes:
        name: of the project, and of its registered model.
        version: of Vigie, as pip writes it.
        python: the interpreter that has Vigie on this machine.
        secrets: value by name, for ``.env``, with whatever else only this machine knows.
    """

    name: str
    version: str
    python: str
    secrets: Mapping[str, str]


def project_files(blanks: Blanks, *, example: str | None, tables: Mapping[str, str]) -> tuple[ProjectFile, ...]:
    """Return every file of a new project.

    Args:
        blanks: what is filled in.
        example: ``churn``, or None for a project whose table is still to come.
        tables: CSV text by path, for the example's data; none without one.
    """
    data = set(tables) or {"data/.gitkeep"}
    wanted = [path for path in PURPOSES if not path.startswith("data/") or path in data]
    listed = "".join(f"| `{path}` | {PURPOSES[path]} |\n" for path in wanted)
    return tuple(_file(path, blanks, example=example, tables=tables, listed=listed) for path in wanted)


def _file(path: str, blanks: Blanks, *, example: str | None, tables: Mapping[str, str], listed: str) -> ProjectFile:
    if path in tables:
        return ProjectFile(path, PURPOSES[path], tables[path])
    if path == RUNBOOKS:
        return ProjectFile(path, PURPOSES[path], runbooks())
    if path in SHARED:
        return ProjectFile(path, PURPOSES[path], _headed(path, twin(SHARED[path])))
    body = _filled(_template(path, example), blanks).replace("@files@\n", listed)
    content = notebook(body) if path.endswith(".ipynb") else _headed(path, body)
    return ProjectFile(path, PURPOSES[path], content)


def _template(path: str, example: str | None) -> str:
    """Return a template's text: the example's own where it has one. A dot at the front is written ``dot-``."""
    parts = [f"dot-{part[1:]}" if part.startswith(".") else part for part in PurePosixPath(path).parts]
    for folder in (*([example] if example else []), "project"):
        found = _TEMPLATES.joinpath(folder, *parts[:-1], f"{parts[-1]}.in")
        if found.is_file():
            return found.read_text(encoding="utf-8")
    raise LookupError(path)


def _filled(body: str, blanks: Blanks) -> str:
    secrets = "".join(f"{name}={value}\n" for name, value in blanks.secrets.items())
    ignored = "".join(f"{path}\n" for path in sorted(LOCAL))
    values = {"name": blanks.name, "version": blanks.version, "python": blanks.python}
    for blank, value in values.items():
        body = body.replace(f"@{blank}@", value)
    return body.replace("@secrets@\n", secrets).replace("@local@\n", ignored)


def _headed(path: str, body: str) -> str:
    """Return a file with what it is for on its first line, where its format has comments."""
    name = PurePosixPath(path)
    if name.suffix == ".py":
        return f'"""{PURPOSES[path]}"""\n\n{body}'
    if name.suffix in _HASH_SUFFIXES or name.name in _HASH_NAMES:
        return f"# {PURPOSES[path]}\n{body}"
    return body
