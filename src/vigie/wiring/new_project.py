"""A new project on disk: the example's tables, fresh secrets, and files that are written once or not at all."""

import base64
import io
import os
import re
import secrets
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Final

import pyarrow as pa
from pyarrow import csv

from vigie.errors import ConfigurationError, StorageError
from vigie.scaffold.files import ProjectFile
from vigie.scaffold.project import Blanks, project_files
from vigie.testing.tables import churn_table

EXAMPLES: Final = ("churn",)

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}")
_SEED = 7
_N_TRAINING, _N_LATER = 4_000, 2_000


def plan_project(name: str, example: str | None) -> tuple[ProjectFile, ...]:
    """Return the files of a new project, with secrets that nobody else has.

    Args:
        name: of the project, its model and its image.
        example: one of ``EXAMPLES``, or None.

    Raises:
        ConfigurationError: the name cannot be a model's and an image's.
    """
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"{name!r} cannot be a project's name.",
            remedy="Take up to 63 letters, digits, dashes and underscores, with a letter or digit in front.",
        )
    blanks = Blanks(name=name, version=version("vigie"), python=sys.executable, secrets=_own())
    return project_files(blanks, example=example, tables=_churn() if example == "churn" else {})


def existing(folder: Path, files: Sequence[ProjectFile]) -> list[str]:
    """Return the paths that are taken already, or whose folder is a file."""
    return [file.path for file in files if os.path.lexists(folder / file.path) or _blocked(folder, file.path)]


def write_project(folder: Path, files: Sequence[ProjectFile]) -> None:
    """Write a new project, whole or not at all; no file is ever overwritten, not even one that appears meanwhile.

    Raises:
        ConfigurationError: a file is there already, or the folder is a file.
        StorageError: the disk refused.
    """
    if os.path.lexists(folder) and not folder.is_dir():
        raise ConfigurationError(f"{folder} is a file.", remedy="Name a folder, new or empty.")
    if taken := existing(folder, files):
        raise _taken(folder, taken)
    absent = {above for file in files for above in (folder / file.path).parents if not above.exists()}
    written: list[Path] = []
    try:
        for file in files:
            path = folder / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            mode = 0o600 if file.private else 0o666  # the rest is up to the umask
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            written.append(path)
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as opened:
                opened.write(file.content)
    except FileExistsError as exc:
        _undo(written, absent)
        raise _taken(folder, [file.path]) from exc
    except OSError as exc:
        _undo(written, absent)
        raise StorageError(str(folder), f"{exc.strerror or type(exc).__name__}.", retryable=False) from exc


def _undo(written: Sequence[Path], absent: set[Path]) -> None:
    """Remove what was written and the folders made for it, as far as the disk lets us."""
    for path in written:
        with suppress(OSError):
            path.unlink()
    for path in sorted(absent, key=lambda made: len(made.parts), reverse=True):
        with suppress(OSError):  # somebody else may have put something in
            path.rmdir()


def _blocked(folder: Path, path: str) -> bool:
    return any(above.exists() and not above.is_dir() for above in (folder / path).parents)


def _taken(folder: Path, taken: Sequence[str]) -> ConfigurationError:
    more = f" and {len(taken) - 3} more" if len(taken) > 3 else ""
    return ConfigurationError(
        f"{folder} already has {', '.join(taken[:3])}{more}; nothing is ever overwritten.",
        remedy="Name another folder, or move these away.",
    )


def _own() -> dict[str, str]:
    """Return what nobody else has: secrets, and who owns the files that a container shares."""
    return {
        "OWNER": f"{os.getuid()}:{os.getgid()}",
        "GRAFANA_ADMIN_PASSWORD": secrets.token_urlsafe(24),
        "WEBHOOK_SECRET": "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
    }


def _churn() -> dict[str, str]:
    return {
        "data/train.csv": _csv(churn_table(_N_TRAINING, seed=_SEED)),
        "data/later.csv": _csv(churn_table(_N_LATER, seed=_SEED + 1, drift=1.0, relation=1.0)),
    }


def _csv(table: pa.Table) -> str:
    text = io.BytesIO()
    csv.write_csv(table, text, csv.WriteOptions(quoting_style="needed"))
    return text.getvalue().decode()
