"""Network file systems are recognised in the table of mounts."""

from pathlib import Path

import pytest

from vigie.adapters.sqlite.filesystem import network_filesystem

MOUNTS = """\
/dev/vda / ext4 rw,relatime 0 0
tmpfs /tmp tmpfs rw 0 0
nas:/data /mnt/nas nfs4 rw,vers=4.2 0 0
/dev/vdb /mnt/nas/local xfs rw 0 0
//win/share /mnt/my\\040share cifs rw 0 0
/dev/vdc /mnt/twice ext4 rw 0 0
nas:/twice /mnt/twice nfs rw 0 0
broken
"""


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/home/me/.vigie/log.db", None),
        ("/mnt/nas/log.db", "nfs4"),
        ("/mnt/nas/local/log.db", None),
        ("/mnt/nasty/log.db", None),
        ("/mnt/my share/deep/log.db", "cifs"),
        ("/mnt/twice/log.db", "nfs"),
    ],
)
def test_longest_mount_decides(path, found):
    """The deepest mount that holds a path decides, the later of two on one point, and names are compared whole."""
    assert network_filesystem(Path(path), MOUNTS) == found


def test_no_table_means_local():
    """Where there is no table of mounts, nothing is refused."""
    assert network_filesystem(Path("/mnt/nas/log.db"), "") is None
