"""Power cuts: disks rebuilt from the order of writes and syncs hold every acknowledged row, in durable mode."""

import random
import shutil

import pytest
from crash_checks import acknowledged, logged
from crash_images import Disk, read_trace

SHARES = (0.0, 0.5, 1.0)  # of what was not synced: none of it kept, torn sectors, all of it


@pytest.fixture
def traced(shim, start, tmp_path):
    """Give a function that lets clients work and returns what they did to the disk."""

    def run(*, durable, n_requests):
        folder = tmp_path / "traced"
        folder.mkdir()
        trace = tmp_path / "trace"
        environment = {"LD_PRELOAD": str(shim), "SHIM_PREFIX": str(folder), "SHIM_TRACE": str(trace)}
        process = start(folder / "log.db", durable=durable, n_requests=n_requests, environment=environment)
        process.communicate(timeout=300)
        assert process.returncode == 0
        return Disk(folder), read_trace(trace)

    return run


def cut_power(disk, events, folder, n_cuts):
    """Cut at ``n_cuts`` moments, mostly right after an acknowledgement; return the rows lost, per photograph."""
    generator = random.Random(11)  # noqa: S311  no secret
    answers = [place for place, event in enumerate(events) if event.kind == "A" and event.data[:1] == b"a"]
    moments = {*generator.sample(answers, n_cuts * 2 // 3), *generator.sample(range(len(events)), n_cuts // 3)}
    said, lost = [], []
    for place, event in enumerate(events):
        disk.follow(event)
        if event.kind == "A":
            said += event.data.decode().splitlines()
        if place in moments:
            for share in SHARES:
                photograph = folder / f"{place}-{share}"
                disk.photograph(photograph, generator, share)
                lost.append(acknowledged(said) - logged(photograph / "log.db"))
                shutil.rmtree(photograph)
    return lost


def test_power_cut_loses_nothing_acknowledged(traced, tmp_path):
    """Nothing acknowledged is lost at nine moments of three hundred requests, whatever the disk did with the rest."""
    disk, events = traced(durable=True, n_requests=300)
    lost = cut_power(disk, events, tmp_path, 9)
    assert lost == [set()] * len(lost)
    assert len(lost) >= 24


def test_the_cuts_catch_a_log_that_does_not_sync(traced, tmp_path):
    """Control: the same cuts find rows missing in fast mode, whose commits are not synced."""
    disk, events = traced(durable=False, n_requests=300)
    lost = cut_power(disk, events, tmp_path, 9)
    assert any(lost)


@pytest.mark.crash
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("durable", [True, False], ids=["durable", "fast"])
def test_many_power_cuts(traced, tmp_path, tell, durable):
    """Sixty moments, 180 disks: durable loses nothing; fast loses rows (the control) and is never corrupt."""
    disk, events = traced(durable=durable, n_requests=3000)
    lost = cut_power(disk, events, tmp_path, 60)
    n_lossy = sum(bool(rows) for rows in lost)
    mode = "durable" if durable else "fast"
    tell(f"{len(lost)} power cuts, {mode}: {n_lossy} lost acknowledged rows, at most {max(map(len, lost))}")
    assert (n_lossy == 0) is durable
