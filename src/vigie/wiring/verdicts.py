"""Where the watcher leaves its verdicts for the server to show; reading them imports nothing of monitoring."""

from pathlib import Path
from typing import Final

VERDICTS: Final = "verdicts.prom"
_LONGEST: Final = 2**20


def read_verdicts(folder: Path) -> bytes:
    """Return the watcher's latest verdicts in Prometheus' text format; empty where there are none yet.

    Args:
        folder: of all local state.
    """
    try:
        with (folder / VERDICTS).open("rb") as file:
            found = file.read(_LONGEST + 1)
    except OSError:
        return b""
    return found if len(found) <= _LONGEST else b""
