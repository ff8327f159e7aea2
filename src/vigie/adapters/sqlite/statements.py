"""SQL as files: statements by name, migrations by number."""

import re
import sqlite3
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_MIGRATION = re.compile(r"^(\d{4})_\w+\.sql$")


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of a database's structure: ``number`` counts from 1 and becomes ``user_version``."""

    number: int
    statements: tuple[str, ...]


def sql_folder(package: str) -> Traversable:
    """Return the folder with the SQLite files of a package."""
    return files(package) / "sql" / "sqlite"


def named_statements(folder: Traversable, file: str = "statements.sql") -> dict[str, str]:
    """Return the statements of a file, by the name in the ``-- name:`` line above each.

    Raises:
        ValueError: a name occurs twice.
    """
    parts = _NAME.split((folder / file).read_text(encoding="utf-8"))
    names, bodies = parts[1::2], parts[2::2]
    if len(set(names)) != len(names):
        raise ValueError(f"{file} gives one name to two statements")
    return {name: body.strip() for name, body in zip(names, bodies, strict=True)}


def migrations(folder: Traversable) -> tuple[Migration, ...]:
    """Return the numbered files ``0001_what.sql``, in order.

    Raises:
        ValueError: the numbers do not count 1, 2, 3.
    """
    found = {}
    for file in folder.iterdir():
        match = _MIGRATION.match(file.name)
        if match:
            found[int(match[1])] = split_script(file.read_text(encoding="utf-8"))
    if sorted(found) != list(range(1, len(found) + 1)):
        raise ValueError(f"migrations must count 1, 2, 3 and are {sorted(found)}")
    return tuple(Migration(number, found[number]) for number in sorted(found))


def split_script(script: str) -> tuple[str, ...]:
    """Return a script's statements one by one, triggers whole.

    sqlite3's own ``executescript`` commits what is open before it starts, which would break a migration in two.
    """
    statements, pending = [], ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            statements.append(pending.strip())
            pending = ""
    if pending.strip():
        raise ValueError(f"a statement does not end with a semicolon: {pending.strip()[:60]!r}")
    return tuple(statements)
