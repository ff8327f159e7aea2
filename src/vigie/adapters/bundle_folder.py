"""A bundle's members from a folder that anybody may have written.

Only the names of the format are opened, each at most to the size that is read of it, and each as a plain file: no link
is followed, no pipe is waited for, and no file is taken that could be changed under a second name elsewhere.
"""

import os
import stat
from pathlib import Path

from vigie.bundle.members import MAX_BYTES
from vigie.bundle.signature import SIGNATURE
from vigie.errors import BundleError, StorageError

# Windows knows neither: its names in a folder are checked below like everybody's.
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


def read_bundle(folder: Path) -> dict[str, bytes]:
    """Return the members in a folder.

    Raises:
        BundleError: it holds anything else, or a member is too large.
        OSError: the disk failed.
    """
    names = _names(folder)
    members = {name: read_member(folder, name) for name in names}
    return {name: content for name, content in members.items() if content is not None}


def read_member(folder: Path, name: str) -> bytes | None:
    """Return one member, None when the folder has none of this name.

    Args:
        folder: the bundle.
        name: one that the format knows.

    Raises:
        BundleError: it is no plain file, or too large.
        OSError: the disk failed.
    """
    path = folder / name
    try:
        handle = os.open(path, _FLAGS | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        return None
    except OSError as exc:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise _no_plain_file(name) from exc
        raise
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1 or path.is_symlink():
        os.close(handle)
        raise _no_plain_file(name)
    with open(handle, "rb") as file:  # noqa: PTH123 - the handle is open already
        if found.st_size > MAX_BYTES[name]:
            raise BundleError(f"{name} has {found.st_size:,} bytes; at most {MAX_BYTES[name]:,} are read.")
        return file.read(found.st_size)  # and no more: a file may grow meanwhile, and its digest tells


def write_signature(folder: Path, signature: bytes) -> None:
    """Put a signature beside the manifest in a folder, in one step, in place of an older one.

    Raises:
        StorageError: the disk failed.
    """
    staged = folder.parent / f".{folder.name}-signing-{os.getpid()}"
    try:
        with staged.open("xb") as file:
            file.write(signature)
            file.flush()
            os.fsync(file.fileno())
        staged.replace(folder / SIGNATURE)
    except OSError as exc:
        raise StorageError(str(folder), f"{exc.strerror or type(exc).__name__}.", retryable=False) from exc
    finally:
        staged.unlink(missing_ok=True)


def _names(folder: Path) -> list[str]:
    names = []
    with os.scandir(folder) as entries:
        for entry in entries:  # ends at the first that is unknown: a folder may hold a million
            if entry.name not in MAX_BYTES:
                raise BundleError(f"The bundle's folder holds an unknown member, {entry.name[:80]!a}.")
            names.append(entry.name)
    return sorted(names)


def _no_plain_file(name: str) -> BundleError:
    return BundleError(f"The bundle holds {name[:80]!a}, which is no plain file of its own.")
