"""The commit a model was trained at."""

import subprocess
from pathlib import Path


def current_commit(folder: Path) -> str | None:
    """Return the checked-out commit, with ``-dirty`` when files differ from it; None outside a repository."""
    try:
        found = subprocess.run(  # noqa: S603  fixed words, no shell
            ["git", "-C", str(folder), "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip() or None
