"""Whether a path lies on a network file system, where SQLite's WAL loses rows."""

from pathlib import Path
from typing import Final

NETWORK_TYPES: Final = frozenset(
    {
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "fuse.glusterfs",
        "fuse.s3fs",
        "fuse.sshfs",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "smb3",
        "smbfs",
    }
)
_MOUNTS = Path("/proc/self/mounts")


def read_mounts() -> str:
    """Return Linux's table of mounts, an empty text on other systems."""
    try:
        return _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""


def network_filesystem(path: Path, mounts: str) -> str | None:
    """Return the type of the network file system that holds ``path``, None for a local or an unknown one.

    Args:
        path: absolute, links resolved; it need not exist.
        mounts: text of ``/proc/self/mounts``: device, mount point, type, options, one mount a line.
    """
    best, best_type = -1, ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = Path(fields[1].replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\"))
        # ">=": a later mount on the same point hides the earlier one.
        if path.is_relative_to(point) and len(point.parts) >= best:
            best, best_type = len(point.parts), fields[2]
    return best_type if best_type in NETWORK_TYPES else None
