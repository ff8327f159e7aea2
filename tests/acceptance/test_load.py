"""A server under load: swaps at 70 % of what it can do, four times more than it can do, and clients that dawdle.

Minutes long and judged by the clock, hence in ``make load``, best on a quiet machine; they print what they saw. What
takes no clock (that swaps mix nothing, that a crowd is refused in order, that slow clients are closed) is checked in
``tests/integration/test_http`` as well.
"""

import asyncio
import sys
import threading
import time
from itertools import pairwise
from multiprocessing import get_context

import msgspec
import numpy as np
import psutil
import pytest
from load_client import OpenLoop, dawdle, post, share

from vigie.adapters.bundle_cache import BundleCache
from vigie.bundle.trust import Trust
from vigie.loop.open_sklearn import sklearn_scorer

pytestmark = [pytest.mark.load, pytest.mark.timeout(900)]

NAMES = ("anciennete_mois", "montant_mensuel", "nb_reclamations", "nb_produits", "satisfaction")
N_BODIES = 200
N_SWAPS, SWAP_EVERY_S = 200, 0.5
OVERLOAD_S = 120
N_SLOW, N_ASKED = 500, 3_000


@pytest.fixture(scope="module")
def versions(project, tools):
    """Return a cache with two versions that answer differently, and what scikit-learn says of any row, by version."""
    project.run("train", VIGIE_DATA__SEED="7")
    cache = BundleCache(project.folder / ".vigie" / "bundles")
    with project.server():  # its follower fills the cache
        project.run("promote", "2", expect=(0, 1))
        tools.wait(lambda: cache.pointer("churn") == "2", 30)
    return cache, lambda version: sklearn_scorer(cache.load("churn", version), trust=Trust())


@pytest.fixture
def say(capsys):
    """Give a function that prints a figure, whatever pytest captures."""

    def tell(line):
        with capsys.disabled():
            sys.stdout.write(f"\n{line}\n")

    return tell


def _rows(n, seed):
    rng = np.random.default_rng(seed)
    table = zip(rng.integers(1, 121, n).tolist(), rng.uniform(10, 200, n).tolist(), rng.integers(0, 9, n).tolist(),
                rng.integers(1, 5, n).tolist(), rng.uniform(1, 5, n).tolist(), strict=True)  # fmt: skip
    return [dict(zip(NAMES, row, strict=True)) for row in table]


def _bodies(rows_each, seed=3):
    rows = _rows(N_BODIES * rows_each, seed)
    return [rows[start : start + rows_each] for start in range(0, len(rows), rows_each)]


def _swap_on(cache, done):
    """Move the pointer that servers follow, to and fro, as their follower does when the champion moves."""
    for number in range(N_SWAPS):
        time.sleep(SWAP_EVERY_S)
        cache.point("churn", "12"[number % 2])
    done.set()


def test_swaps_at_seventy_percent(project, versions, say):
    """No request fails, and every answer is that of the version it names, as scikit-learn recomputes it offline."""
    cache, recomputed = versions
    bodies = _bodies(5)
    requests = list(map(post, bodies))
    with project.server(VIGIE_SERVING__FOLLOW_EVERY="100ms") as (_, http):
        client, done = OpenLoop(http.base_url.port), threading.Event()

        async def load():
            await client.repeat(requests, 16, 1.0)
            rate_per_s = 0.7 * await client.repeat(requests, 16, 3.0)
            client.heard.clear()
            swapping = threading.Thread(target=_swap_on, args=(cache, done))
            swapping.start()
            n = 0
            while not done.is_set():
                await client.run((requests[(n + at) % N_BODIES] for at in range(int(rate_per_s / 2))), rate_per_s)
                n += int(rate_per_s / 2)
            swapping.join()
            await client.close()
            return rate_per_s

        rate_per_s = asyncio.run(load())
    assert {one.status for one in client.heard} == {200}
    answers = {version: [recomputed(version).score_rows([tuple(row.values()) for row in body]) for body in bodies]
               for version in "12"}  # fmt: skip
    assert not any(one == other for one, other in zip(answers["1"], answers["2"], strict=True)), "they must differ"
    places, seen, wrong = {request: at for at, request in enumerate(requests)}, [], 0
    for heard in sorted(client.heard, key=lambda one: one.at_s):
        told = msgspec.json.decode(heard.body)
        (version,) = {answer["model"]["version"] for answer in told}
        expected = [said.probabilities[-1] for said in answers[version][places[heard.request]]]
        wrong += [answer["probability"] for answer in told] != pytest.approx(expected, abs=1e-12)
        seen.append(version)
    n_changes = sum(one != other for one, other in pairwise(seen))
    say(f"{N_SWAPS} swaps, {n_changes} seen: {len(seen):,} batches at {rate_per_s:,.0f}/s, 0 failed, {wrong} wrong, "
        f"p99 {share([one.took_s for one in client.heard], 0.99) * 1e3:.1f} ms")  # fmt: skip
    assert wrong == 0
    assert n_changes >= N_SWAPS / 2
    assert set(seen) == {"1", "2"}


def test_four_times_too_much(project, say):
    """What is too much is refused at once and in order; what is not, is answered; afterwards all is as before."""
    requests = list(map(post, _bodies(200)))
    with project.server(VIGIE_SERVING__MAX_CONNECTIONS="8") as (process, http):
        server, client = psutil.Process(process.pid), OpenLoop(http.base_url.port)

        async def load():
            await client.repeat(requests, 8, 2.0)
            peak = await client.repeat(requests, 8, 5.0)
            client.heard.clear()
            before = (await client.run(requests[:50], peak / 4)).heard.copy()
            rss = server.memory_info().rss
            client.heard.clear()
            n = int(4 * peak * OVERLOAD_S)
            await client.run((requests[at % N_BODIES] for at in range(n)), 4 * peak)
            during, grown = client.heard.copy(), server.memory_info().rss - rss
            await asyncio.sleep(5)
            client.heard.clear()
            await client.run(requests[:50], peak / 4)
            await client.close()
            return peak, before, during, grown, client.heard

        peak, before, during, grown, after = asyncio.run(load())
    took_s = max(one.at_s + one.took_s for one in during) - min(one.at_s for one in during)
    answered, refused = ([one for one in during if one.status == status] for status in (200, 503))
    goodput = len(answered) / took_s
    typical = [share([one.took_s for one in some], 0.5) * 1e3 for some in (before, after)]
    say(f"overload, {len(during) / took_s:,.0f}/s of 200 rows for {took_s:.0f} s: goodput {goodput:,.0f}/s of "
        f"{peak:,.0f}/s ({goodput / peak:.0%}), refused in p50 {share([one.took_s for one in refused], 0.5) * 1e3:.0f} "
        f"p99 {share([one.took_s for one in refused], 0.99) * 1e3:.0f} ms, answered in p99 "
        f"{share([one.took_s for one in answered], 0.99) * 1e3:.0f} ms, memory {grown / 2**20:+.1f} MiB, "
        f"p50 before {typical[0]:.1f} ms, 5 s after {typical[1]:.1f} ms")  # fmt: skip
    assert refused, "it was not too much"
    assert {one.status for one in during} <= {200, 503}
    assert {msgspec.json.decode(one.body)["status"] for one in refused} == {503}
    assert {one.status for one in (*before, *after)} == {200}
    assert grown <= 64 * 2**20
    assert goodput >= 0.8 * peak
    assert share([one.took_s for one in refused], 0.99) <= 0.25
    assert typical[1] <= 2 * typical[0]


SLOW = [
    (b"POST /predict HTTP/1.1\r\nHost: localhost\r\nX-A: ", b"b" * 60),
    (b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{",
     b" " * 60),
    (post(_rows(200, 5)) * 2, b"\r\n" * 30),
]  # fmt: skip
"""A header and a body at a byte a second, and two answers of 35 kB that nobody reads."""


def test_clients_that_dawdle_do_not_slow_the_others(project, say):
    """Others are answered meanwhile, about as fast as without them; and the slow ones do not stay for ever."""
    requests = list(map(post, _bodies(1)))
    with project.server() as (process, http):
        port, client = http.base_url.port, OpenLoop(http.base_url.port)
        server = psutil.Process(process.pid)
        crowd = get_context("spawn").Process(target=dawdle, args=(port, N_SLOW, SLOW))

        async def load():
            await client.repeat(requests, 8, 1.0)
            client.heard.clear()
            quiet = (await client.run((requests[at % N_BODIES] for at in range(N_ASKED)), 100)).heard.copy()
            client.heard.clear()
            crowd.start()
            await asyncio.sleep(14)
            n_open = len(server.net_connections())
            loud = (await client.run((requests[at % N_BODIES] for at in range(N_ASKED)), 100)).heard.copy()
            await client.close()
            return quiet, loud, n_open

        try:
            quiet, loud, n_open = asyncio.run(load())
        finally:
            crowd.kill()
            crowd.join()
        deadline = time.monotonic() + 60
        while len(server.net_connections()) > 20:
            assert time.monotonic() < deadline, "slow clients are kept"
            time.sleep(0.5)
    p99 = [share([one.took_s for one in some], 0.99) * 1e3 for some in (quiet, loud)]
    p50 = [share([one.took_s for one in some], 0.5) * 1e3 for some in (quiet, loud)]
    say(f"{N_SLOW} slow clients ({n_open} connections open): others' p50 {p50[0]:.1f} -> {p50[1]:.1f} ms, "
        f"p99 {p99[0]:.1f} -> {p99[1]:.1f} ms, {len(loud):,} asked")  # fmt: skip
    assert {one.status for one in (*quiet, *loud)} == {200}
    assert n_open > N_SLOW / 2
    assert p99[1] <= 2 * p99[0]
