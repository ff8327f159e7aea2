"""Options that several commands share."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from vigie.settings import Settings, load_settings


def project_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--project FOLDER``, given to the command as a Path."""
    return click.option(
        "--project",
        type=click.Path(path_type=Path),
        default=Path(),
        metavar="FOLDER",
        help="Folder of the project, or its vigie.toml.  [default: here]",
    )(function)


def json_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--json``, given to the command as ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(function)


def settings_of(project: Path) -> Settings:
    """Read the project's settings under this process's environment."""
    return load_settings(project, os.environ)
