"""A disk that fails or fills up: no false acknowledgement; a failed sync stops the log, a full disk only pauses it."""

import os
import random
import shutil
import subprocess
import time

import pytest
from crash_checks import acknowledged, logged
from crash_images import Disk, read_trace

MIB = 1 << 20
RECOVERY_S = 5.0


def fail_sync(shim, start, folder, n, *, of="", mode="honest"):
    """Let the n-th sync (of paths with some end) fail; return the process's trace and the rows it acknowledged."""
    disk, trace = folder / f"disk-{n}", folder / f"trace-{n}"
    disk.mkdir()
    environment = {
        "LD_PRELOAD": str(shim),
        "SHIM_PREFIX": str(disk),
        "SHIM_TRACE": str(trace),
        "SHIM_FAIL": str(n),
        "SHIM_FAILS": of,
    }
    process = start(disk / "log.db", n_requests=600, mode=mode, environment=environment)
    said = process.communicate(timeout=120)[0].splitlines()
    assert process.returncode == 0
    return read_trace(trace), acknowledged(said)


def acknowledged_after_failure(events):
    """Return the requests that were submitted after the failed sync and acknowledged all the same.

    A failed sync of a folder concerns names only: SQLite overlooks it, Vigie syncs folders once more when it has opened
    the log, and the photograph shows whether that was enough.
    """
    failed = next(place for place, event in enumerate(events) if event.kind == "F")
    if not events[failed].path.endswith((".db", ".db-wal", ".db-journal")):
        return set()
    said = [event.data.decode().strip() for event in events[failed:] if event.kind == "A"]
    submitted = {line[2:] for line in said if line.startswith("s")}
    return submitted & {line[2:] for line in said if line.startswith("a")}


def check_failed_sync(shim, start, folder, n, of=""):
    """After the n-th sync failed nothing is acknowledged; all that was is there, on the log and after a power cut."""
    events, said = fail_sync(shim, start, folder, n, of=of)
    assert acknowledged_after_failure(events) == set()
    assert said <= set(logged(folder / f"disk-{n}" / "log.db"))
    disk = Disk(folder / f"disk-{n}")
    for event in events:
        disk.follow(event)
    photograph = folder / f"photograph-{n}"
    disk.photograph(photograph, random.Random(n), 0.0)  # noqa: S311  no secret
    if said:
        assert said <= set(logged(photograph / "log.db"))
    return len(said)


@pytest.mark.parametrize(
    ("n", "of", "begun"),
    [(4, "-wal", False), (12, "-wal", True), (2, "log.db", True)],
    ids=["first", "12th", "database"],
)
def test_failed_sync_is_never_acknowledged(shim, start, tmp_path, n, of, begun):
    """A sync that fails at the first commit, at a later one or at a checkpoint (of the database) stops the log."""
    assert (check_failed_sync(shim, start, tmp_path, n, of) > 0) is begun


def test_going_on_after_a_failed_sync_is_caught(shim, start, tmp_path):
    """Control: a writer that is made to go on acknowledges what the check then finds."""
    events, _ = fail_sync(shim, start, tmp_path, 15, mode="stubborn")
    assert acknowledged_after_failure(events)


@pytest.mark.crash
@pytest.mark.timeout(1800)
def test_fifty_failed_syncs(shim, start, tmp_path, tell):
    """The same for every sync from the first, while the log is made, to the fiftieth."""
    n_said = [check_failed_sync(shim, start, tmp_path, n) for n in range(1, 51)]
    tell(f"50 failed syncs: none acknowledged after, {sum(n_said):,} rows acknowledged before, all there")
    assert sum(said > 0 for said in n_said) > 30


def read_until(process, word, times=1):
    """Read lines until the last ``times`` all begin with ``word``; return all lines and how long it took."""
    lines, in_a_row, started_s = [], 0, time.perf_counter()
    for line in process.stdout:
        lines.append(line)
        in_a_row = 0 if not line.startswith(word) else in_a_row + 1
        if in_a_row == times:
            return lines, time.perf_counter() - started_s
    return pytest.fail(f"the process ended without {word!r}")


def fill_and_free(start, folder, ballast, environment=()):
    """Let clients fill a disk, free some of it, and let them go on; return rows acknowledged and the time it took."""
    process = start(folder / "log.db", environment=environment)
    lines, _ = read_until(process, "r", times=50)  # not one that happened to fit in between
    assert {line.split()[1] for line in lines if line.startswith("r")} == {"True"}
    ballast.unlink()
    after, recovery_s = read_until(process, "a")
    process.kill()
    rest = process.stdout.read().splitlines()
    said = acknowledged([*lines, *after, *rest])
    assert recovery_s < RECOVERY_S
    assert said <= set(logged(folder / "log.db"))
    return len(said), recovery_s


def test_full_disk_pauses_the_log(shim, start, tmp_path):
    """A disk without room refuses with an error that may be retried; with room the log goes on without a restart."""
    folder = tmp_path / "disk"
    folder.mkdir()
    ballast = folder / "ballast"
    ballast.write_bytes(bytes(MIB))
    environment = {"LD_PRELOAD": str(shim), "SHIM_PREFIX": str(folder), "SHIM_ROOM": str(2 * MIB)}
    fill_and_free(start, folder, ballast, environment)


@pytest.mark.crash
@pytest.mark.timeout(600)
def test_full_tmpfs_pauses_the_log(start, tmp_path, tell):
    """The same on a real file system of 8 MiB, where mounting one is permitted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("mounting a tmpfs needs root")
    mounted = subprocess.run([mount, "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip(f"a tmpfs cannot be mounted here: {mounted.stderr.decode()}")
    try:
        ballast = folder / "ballast"
        ballast.write_bytes(bytes(4 * MIB))
        n_said, recovery_s = fill_and_free(start, folder, ballast)
    finally:
        subprocess.run([shutil.which("umount"), folder], check=True)
    tell(f"full disk of 8 MiB: {n_said:,} rows acknowledged, and again {recovery_s:.2f} s after there was room")
