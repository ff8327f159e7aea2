"""kill -9 under load: what was acknowledged is there, once and unaltered, and the log is soon open again."""

import itertools
import os
import random
import select
import signal
import time
from contextlib import closing

import pytest
from crash_checks import acknowledged, logged

from vigie.adapters.clock import SystemClock
from vigie.adapters.prediction_log.writer import SqlitePredictionWriter

READY_S = 5.0


def kill_under_load(start, path, *, seeds, mode="honest", wait_s=0.1):
    """Let processes write to one log, kill them in the middle, and return what they acknowledged."""
    processes = {seed: start(path, seed=seed, mode=mode) for seed in seeds}
    for process in processes.values():
        assert select.select([process.stdout], [], [], 60)[0], "a writer never said anything"
    time.sleep(wait_s)
    for process in processes.values():
        os.kill(process.pid, signal.SIGKILL)
    said = {seed: process.stdout.read().splitlines() for seed, process in processes.items()}
    return set().union(*(acknowledged(lines, seed) for seed, lines in said.items()))


def reopening_s(path):
    """Return how long it takes until a row can be committed again."""
    started_s = time.perf_counter()
    with closing(SqlitePredictionWriter(path, durable=True, max_waiting_rows=1, clock=SystemClock())) as writer:
        writer.check()
        return time.perf_counter() - started_s


def rounds_of_death(start, path, n_kills, mode="honest"):
    """Return rows acknowledged, those of them that are missing, and the longest time to readiness."""
    generator = random.Random(7)  # noqa: S311  no secret
    said, slowest_s = set(), 0.0
    victims = iter(range(n_kills))
    for n_processes in itertools.cycle([1, 2]):
        seeds = list(itertools.islice(victims, n_processes))
        if not seeds:
            break
        said |= kill_under_load(start, path, seeds=seeds, mode=mode, wait_s=generator.uniform(0.0, 0.3))
        slowest_s = max(slowest_s, reopening_s(path))
    return said, said - logged(path), slowest_s


def test_kill_loses_nothing_acknowledged(start, tmp_path):
    """After six kill -9, of one process and of two at once, all is there and the log is ready again."""
    said, missing, slowest_s = rounds_of_death(start, tmp_path / "log.db", 6)
    assert len(said) > 60
    assert missing == set()
    assert slowest_s < READY_S


def test_early_acknowledgement_is_caught(start, tmp_path):
    """Control: clients who acknowledge before the writer does are caught by the same rounds."""
    _, missing, _ = rounds_of_death(start, tmp_path / "log.db", 3, mode="early")
    assert missing != set()


@pytest.mark.crash
@pytest.mark.timeout(1800)
def test_two_hundred_kills(start, tmp_path, tell):
    """The same, two hundred times on one log."""
    said, missing, slowest_s = rounds_of_death(start, tmp_path / "log.db", 200)
    tell(f"200 kills: {len(said):,} rows acknowledged, {len(missing)} missing, ready again in {slowest_s:.2f} s")
    assert missing == set()
    assert slowest_s < READY_S
