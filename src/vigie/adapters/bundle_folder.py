"""A bundle's members from a folder that anybody may have written."""

from pathlib import Path

from vigie.bundle.members import MAX_BYTES
from vigie.errors import BundleError


def read_bundle(folder: Path) -> dict[str, bytes]:
    """Return the members in a folder.

    Raises:
        BundleError: it holds anything but plain files, or a member is too large.
        OSError: the disk failed.
    """
    members = {}
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or not path.is_file():
            raise BundleError(f"The bundle holds {path.name[:80]!a}, which is no plain file.")
        if path.stat().st_size > MAX_BYTES.get(path.name, 0):
            raise BundleError(f"The bundle holds {path.name[:80]!a}, which is unknown or too large.")
        members[path.name] = path.read_bytes()
    return members
