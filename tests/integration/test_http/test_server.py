"""A real server on a real port: swaps under load, slow clients, and an orderly end."""

import asyncio
import contextlib
import json
import signal
import socket
import threading
import time

import httpx
import pytest

from vigie.api import connection
from vigie.api.server import make_server

PERSON = {"age": 30, "income": 12.5, "city": "Lyon", "vip": True}
REQUEST = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"


def _swaps(server, port, models, n_swaps):
    """Ask with pipelined batches while the champion changes; return every answer of three rows."""
    seen, stopped = [], threading.Event()

    def ask():
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as http:
            while not stopped.is_set():
                response = http.post("/predict", json=[PERSON, PERSON, PERSON])
                seen.append((response.status_code, response.json()))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(n_swaps):
        n_seen = len(seen)
        server.slots.swap(models[number % 2])
        while len(seen) < n_seen + 8:
            time.sleep(0.001)
    stopped.set()
    for thread in threads:
        thread.join()
    return seen


@pytest.mark.parametrize("n_swaps", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_swaps_under_load_fail_no_request_and_mix_no_batch(server, running, people_models, n_swaps):
    """Each answer is one version's, and its number is what that version says of the row."""
    expected = {model.version: model.scorer.score_rows([tuple(PERSON.values())])[0] for model in people_models}
    assert len({said.probabilities for said in expected.values()}) == 2, "the two versions must differ"
    seen = _swaps(server, running, people_models, n_swaps)
    assert {status for status, _ in seen} == {200}
    for _, answers in seen:
        (version,) = {answer["model"]["version"] for answer in answers}
        assert {answer["probability"] for answer in answers} == {expected[version].probabilities[-1]}
    assert {answers[0]["model"]["version"] for _, answers in seen} == set(expected)
    assert len(server.log.records) == 3 * len(seen)


def _talk(port, *parts, pause_s=0.0):
    """Send parts with pauses and return all that comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        with contextlib.suppress(OSError):
            for part in parts:
                client.sendall(part)
                time.sleep(pause_s)
        answer = b""
        with contextlib.suppress(ConnectionError):
            while more := client.recv(65_536):
                answer += more
        return answer


@pytest.fixture
def hasty(monkeypatch):
    """Let patience end in a moment."""
    for name in ("HEADER_S", "BODY_S", "READING_S"):
        monkeypatch.setattr(connection, name, 0.5)


@pytest.mark.parametrize(
    "parts",
    [
        [b"POST /predict HT"],
        [b"POST /predict HTTP/1.1\r\nHost: localhost\r\nX-A: ", *[b"b"] * 12],
        [REQUEST % (100, b'{"age"')],
        [REQUEST % (100, b"{"), *[b" "] * 12],
        [(REQUEST % (100, b"{")).replace(b"/predict", b"/feedback")],
    ],
    ids=["header, then silence", "header, a byte at a time", "body, then silence", "body, byte by byte", "twin's body"],
)
@pytest.mark.usefixtures("hasty")
def test_a_slow_client_is_told_and_closed(running, parts):
    """408 as a problem; another client is answered meanwhile."""
    answer = _talk(running, *parts, pause_s=0.2)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["type"] == "urn:vigie:problem:request-timeout"
    assert httpx.post(f"http://127.0.0.1:{running}/predict", json=PERSON).status_code == 200


@pytest.mark.usefixtures("hasty")
def test_a_client_that_says_nothing_is_closed(running):
    """Without a word, as it said none."""
    assert _talk(running) == b""


@pytest.mark.parametrize(
    ("request_line", "headers", "status"),
    [
        (b"GET /" + b"a" * 9_000, b"", 414),
        (b"GET /livez", b"X-Long: " + b"a" * 20_000 + b"\r\n", 431),
        (b"GET /livez", b"".join(b"X-%d: 1\r\n" % number for number in range(500)), 431),
        (b"nonsense", b"", 400),
    ],
    ids=["a long address", "a long header", "many headers", "no HTTP"],
)
def test_a_large_or_broken_header_is_a_problem(running, request_line, headers, status):
    """As problem+json, and the connection ends."""
    answer = _talk(running, request_line + b" HTTP/1.1\r\nHost: localhost\r\n" + headers + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer[:200]
    assert b"application/problem+json" in answer


def test_a_header_that_comes_in_pieces_is_answered(running):
    """The control: only those who take too long are refused."""
    raw = REQUEST % (len(json.dumps(PERSON)), json.dumps(PERSON).encode())
    raw = raw.replace(b"Host:", b"Connection: close\r\nHost:")
    answer = _talk(running, *[raw[place : place + 20] for place in range(0, len(raw), 20)], pause_s=0.01)
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_a_request_under_way_is_answered_before_the_end(server, people_model, run_server):
    """The server drains: it stops listening, and who asked before gets an answer."""
    entered, leave = threading.Event(), threading.Event()

    class _Slow:
        kind = "sklearn"

        def score_rows(self, rows):
            entered.set()
            leave.wait(10)
            return people_model.scorer.score_rows(rows)

    server.slots.swap(type(people_model)("people", "5", people_model.schema, _Slow(), people_model.created_at))
    answers = []
    with socket.create_server(("127.0.0.1", 0)) as listener, run_server(server.app, listener) as made:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/predict"
        asking = threading.Thread(target=lambda: answers.append(httpx.post(url, json=PERSON)))
        asking.start()
        assert entered.wait(10)
        made.should_exit = True
        time.sleep(0.3)
        leave.set()
        asking.join(10)
    assert [answer.status_code for answer in answers] == [200]


def test_a_second_signal_does_not_wait(server, run_server):
    """With a request stuck in the log, the first signal would drain for five seconds; the second ends that."""

    class _Stuck(type(server.writer)):
        def submit(self, batch, replay=None):  # noqa: ARG002 - the port's signature
            self.release(len(batch.rows))
            entered.set()
            return asyncio.get_running_loop().create_future()

    entered = threading.Event()
    server.writer.__class__ = _Stuck
    with socket.create_server(("127.0.0.1", 0)) as listener, run_server(server.app, listener) as made:
        raw = REQUEST % (len(json.dumps(PERSON)), json.dumps(PERSON).encode())
        with socket.create_connection(listener.getsockname()) as client:
            client.sendall(raw)
            assert entered.wait(10)
            made.handle_exit(signal.SIGTERM, None)
            time.sleep(0.5)
            assert not made.force_exit, "the first signal drains"
            made.handle_exit(signal.SIGTERM, None)
            told_at = time.monotonic()
            while not made.force_exit or made.server_state.tasks:
                assert time.monotonic() - told_at < 4.5, "the second ends at once"
                time.sleep(0.01)


def test_too_many_under_way_are_refused_at_once(server):
    """503 with Retry-After while the others still wait; afterwards all is as before."""

    class _Stuck(type(server.writer)):
        def submit(self, batch, replay=None):  # noqa: ARG002 - the port's signature
            self.release(len(batch.rows))
            waiting.append(asyncio.get_running_loop().create_future())
            return waiting[-1]

    waiting = []
    server.writer.__class__ = _Stuck

    async def ask():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(server.app), base_url="http://localhost") as http:
            tasks = [asyncio.create_task(http.post("/predict", json=PERSON)) for _ in range(1_024)]
            while len(waiting) < 1_024:  # noqa: ASYNC110 - it is the server that fills the list
                await asyncio.sleep(0)
            refused = await http.post("/predict", json=PERSON)
            for future in waiting:
                future.set_result(None)
            return refused, await asyncio.gather(*tasks)

    refused, answered = asyncio.run(ask())
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert refused.json()["type"] == "urn:vigie:problem:overloaded"
    assert {answer.status_code for answer in answered} == {200}


def test_rows_that_meet_are_scored_together(server, plain_model):
    """scikit-learn is asked once for a handful of requests, and each gets its own answer."""
    batches = []

    class _Noting:
        kind = "sklearn"

        def score_rows(self, rows):
            batches.append(len(rows))
            return plain_model.scorer.score_rows(rows)

    server.slots.swap(type(plain_model)("people", "6", plain_model.schema, _Noting(), plain_model.created_at))
    people = [PERSON | {"age": age} for age in range(20, 60)]

    async def ask():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(server.app), base_url="http://localhost") as http:
            return await asyncio.gather(*[http.post("/predict", json=person) for person in people])

    found = [answer.json()["probability"] for answer in asyncio.run(ask())]
    alone = plain_model.scorer.score_rows([tuple(person.values()) for person in people])
    assert found == pytest.approx([said.probabilities[-1] for said in alone], rel=1e-12)
    assert sum(batches) == 40
    assert len(batches) < 10


def _raw(path, body, *headers):
    lines = [b"POST %s HTTP/1.1" % path, b"Host: localhost", b"Content-Type: application/json", *headers]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", body])


CLOSE = b"Connection: close"
BODY = json.dumps(PERSON).encode()


def test_pipelined_requests_are_answered_in_order(running):
    """Requests that arrive in one piece, for the fast path and for the framework, keep their places."""
    fault = _raw(b"/predict", b'{"age": 1}')
    batch = _raw(b"/predict", json.dumps([PERSON] * 2).encode())
    last = _raw(b"/predict", BODY, CLOSE)
    livez = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answer = _talk(running, _raw(b"/predict", BODY) + fault + batch + livez + last)
    assert [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]] == [200, 422, 200, 200, 200]
    bodies = [part.partition(b"\r\n\r\n")[2] for part in answer.split(b"HTTP/1.1 ")[1:]]
    assert isinstance(json.loads(bodies[0]), dict)
    assert len(json.loads(bodies[2])) == 2
    assert json.loads(bodies[3]) == {"status": "ok"}


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (_raw(b"/predict", BODY, CLOSE), 200),
        (_raw(b"/predict?x=1", BODY, CLOSE), 200),
        (_raw(b"/predict", json.dumps([PERSON] * 1000).encode(), CLOSE), 200),
        (_raw(b"/predict", BODY, CLOSE, b"Idempotency-Key: one"), 200),
        (_raw(b"/predict", BODY, CLOSE, b"Content-Encoding: gzip"), 415),
        (_raw(b"/predict", BODY[:-1], CLOSE), 400),
        (_raw(b"/feedback", BODY, CLOSE), 422),
        (_raw(b"/nowhere", BODY, CLOSE), 404),
        (_raw(b"/predict", BODY, CLOSE).replace(b"HTTP/1.1", b"HTTP/1.0"), 200),
    ],
    ids=["plain", "query", "large", "retry", "compressed", "broken", "feedback", "unknown path", "HTTP/1.0"],
)
def test_what_is_no_plain_request_goes_the_long_way(running, raw, status):
    """With the answer it always had."""
    answer = _talk(running, raw)
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer[:200]
    assert answer.lower().count(b"connection: close") == 1


def test_a_log_that_fails_is_told_on_the_wire(server, running):
    """503 as a problem when the rows are not kept, and the same connection is answered again when they are."""
    with httpx.Client(base_url=f"http://127.0.0.1:{running}") as http:
        server.log.broken = True
        refused = http.post("/predict", json=PERSON)
        server.log.broken = False
        assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json")
        assert http.post("/predict", json=PERSON).status_code == 200
    assert server.writer.reserved == 0


def test_an_idle_connection_is_closed(server):
    """After the time that connections are kept, also when the fast path answered last."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made = make_server(server.app, keep_alive_s=1, drain_s=5)
        thread = threading.Thread(target=made.run, kwargs={"sockets": [listener]})
        thread.start()
        began = time.monotonic()
        answer = _talk(listener.getsockname()[1], _raw(b"/predict", BODY))
        took_s = time.monotonic() - began
        made.should_exit = True
        thread.join(20)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert took_s > 1


def test_an_answer_that_waits_for_the_log_is_sent_before_the_end(server, run_server):
    """Draining waits for the fast path as well, which has no task to wait for; the connection is closed after it."""

    class _Late(type(server.writer)):
        def submit(self, batch, replay=None):  # noqa: ARG002 - the port's signature
            self.release(len(batch.rows))
            loop = asyncio.get_running_loop()
            future = loop.create_future()
            loop.call_later(0.5, future.set_result, None)
            entered.set()
            return future

    entered, answers = threading.Event(), []
    server.writer.__class__ = _Late
    with socket.create_server(("127.0.0.1", 0)) as listener, run_server(server.app, listener) as made:
        asking = threading.Thread(
            target=lambda: answers.append(_talk(listener.getsockname()[1], _raw(b"/predict", BODY)))
        )
        asking.start()
        assert entered.wait(10)
        made.should_exit = True
        asking.join(10)
    assert [answer[:13] for answer in answers] == [b"HTTP/1.1 200 "]
    assert b"connection: close" in answers[0]
