"""A header that comes again is not parsed again: whatever else changes, the answer is the one it would have had."""

import json
import random
import socket
from contextlib import contextmanager

import pytest

from vigie.api import connection
from vigie.api.connection import Connection
from vigie.api.rates import Buckets
from vigie.domain.access import AccessKey, KeyRing, KeyScope, key_digest, key_text

PERSON = {"age": 30, "income": 12.5, "city": "Lyon", "vip": True}


def _request(person, *headers, path="/predict"):
    body = person if isinstance(person, bytes) else json.dumps(person).encode()
    lines = (b"Host: localhost", b"Content-Type: application/json", b"Content-Length: %d" % len(body), *headers)
    return b"POST %b HTTP/1.1\r\n%b\r\n\r\n%b" % (path.encode(), b"\r\n".join(lines), body)


@contextmanager
def _connected(port):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client, client.makefile("rb") as reader:
        yield client, reader


def _read(reader):
    """Return status, headers and body of the next answer."""
    status = int(reader.readline().split()[1])
    headers = {}
    while (line := reader.readline().strip()) != b"":
        name, _, value = line.partition(b": ")
        headers[name] = value
    return status, headers, json.loads(reader.read(int(headers[b"content-length"])))


def _ask(client, reader, *requests):
    """Send requests one after the other; return what each is answered."""
    answers = []
    for request in requests:
        client.sendall(request)
        answers.append(_read(reader))
    return answers


@pytest.fixture
def parsed(monkeypatch):
    """Return a list that grows with every message the parser sees."""
    seen, begin = [], Connection.on_message_begin

    def on_message_begin(self):
        seen.append(1)
        begin(self)

    monkeypatch.setattr(Connection, "on_message_begin", on_message_begin)
    return seen


def test_a_header_is_parsed_once(running, server, parsed):
    """Rows of different values under the same header: all answered as themselves, all logged, one parsed."""
    people = [PERSON | {"age": age} for age in range(20, 60)]
    with _connected(running) as (client, reader):
        answers = _ask(client, reader, *map(_request, people))
    assert [status for status, _, _ in answers] == [200] * 40
    expected = server.slots.champion.scorer.score_rows([tuple(person.values()) for person in people])
    assert [body["probability"] for _, _, body in answers] == [said.probabilities[-1] for said in expected]
    assert [record.features[0] for record in server.log.records] == list(range(20, 60))
    assert len(parsed) == 1
    assert len({headers[b"x-request-id"] for _, headers, _ in answers}) == 40


@pytest.mark.parametrize(
    "header",
    [b"X-Request-Id: same-again", b"Idempotency-Key: k1", b"X-Long: " + b"a" * 2_000, b"Connection: close"],
    ids=["a name of the client's", "a retry", "a long header", "the last request"],
)
def test_other_headers_are_parsed_every_time(running, parsed, header):
    """What is not the same the next time, or too long to keep, is not remembered."""
    with _connected(running) as (client, reader):
        (first,) = _ask(client, reader, _request(PERSON, header))
        assert first[0] == 200
        if header == b"Connection: close":
            assert reader.read() == b""
            return
        (second,) = _ask(client, reader, _request(PERSON, header))
    assert second[0] == 200
    assert len(parsed) == 2


def test_no_more_headers_are_kept_than_a_few(running, parsed):
    """A client whose bodies have very many lengths makes the connection forget, and is answered all the same."""
    people = [PERSON | {"city": "x" * length} for length in range(3 * connection.MAX_HEADS)]
    with _connected(running) as (client, reader):
        answers = _ask(client, reader, *map(_request, people), _request(people[-1]), _request(people[0]))
    assert {status for status, _, _ in answers} == {200}
    assert len(parsed) == len(people) + 1, "the last was known, the first was forgotten"


@pytest.mark.parametrize(
    ("body", "status"),
    [(b'{"age": "old"', 400), (b'{"age": 30}', 422), (b'{"age": NaN, "income": 1, "city": "Lyon", "vip": true}', 400)],
    ids=["cut short", "features missing", "NaN"],
)
def test_a_fault_under_a_known_header_is_told_as_ever(running, server, parsed, body, status):
    """The twin finds the words, the fault is not logged, and the connection goes on."""
    body = body.ljust(80)
    right = json.dumps(PERSON).encode().ljust(80)
    with _connected(running) as (client, reader):
        answers = _ask(client, reader, _request(right), _request(body), _request(right))
    with _connected(running) as (client, reader):
        (fresh,) = _ask(client, reader, _request(body))
    assert [answer[0] for answer in answers] == [200, status, 200]
    assert answers[1][2] == fresh[2]
    assert len(server.log.records) == 2
    assert len(parsed) == 3


def test_the_door_is_asked_about_every_request(people_model, make_server_of, run_server):
    """A key that is revoked between two requests with the same header no longer opens anything."""
    server = make_server_of(ring=KeyRing([]))
    secret = key_text("client01", bytes(32))
    key = AccessKey(secret[3:11], "client", key_digest(secret), frozenset([KeyScope.PREDICT]), server.clock.now())
    server.door.ring = KeyRing([key])
    request = _request(PERSON, b"Authorization: Bearer " + secret.encode())
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        run_server(server.app, listener),
        _connected(listener.getsockname()[1]) as (client, reader),
    ):
        before = _ask(client, reader, request, request)
        server.door.ring = KeyRing([])
        after = _ask(client, reader, request)
    assert [status for status, _, _ in before + after] == [200, 200, 401]
    assert {record.version for record in server.log.records} == {people_model.version}
    assert len(server.log.records) == 2


def test_a_request_counts_once_at_the_door(make_server_of, run_server, monkeypatch):
    """A fault under a known header goes two ways and takes one token, as a row without a fault does."""
    server, taken, take = make_server_of(rate_per_s=1000.0), [], Buckets.take

    def counted(self, who, per_s, now_s):
        taken.append(who)
        return take(self, who, per_s, now_s)

    monkeypatch.setattr(Buckets, "take", counted)
    right, wrong = json.dumps(PERSON).encode().ljust(80), b'{"age": 30}'.ljust(80)
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        run_server(server.app, listener),
        _connected(listener.getsockname()[1]) as (client, reader),
    ):
        answers = _ask(client, reader, _request(right), _request(wrong))
    assert [status for status, _, _ in answers] == [200, 422]
    assert taken == ["address 127.0.0.1"] * 2


def test_blank_lines_before_a_request_are_no_header(running):
    """Lines that HTTP lets a server skip are not taken for a header that came before."""
    with _connected(running) as (client, reader):
        answers = _ask(client, reader, _request(PERSON), b"\r\n\r\n" + _request(PERSON), _request(PERSON))
    assert [status for status, _, _ in answers] == [200] * 3


@pytest.mark.parametrize("seed", range(12))
def test_requests_are_answered_however_they_are_cut(running, server, seed):
    """A stream of requests, cut at any places, is answered in order; known and unknown headers are mixed in it."""
    rng = random.Random(seed)  # noqa: S311 - a repeatable test
    ages = [rng.randrange(18, 90) for _ in range(25)]
    kinds = [(), (), (b"X-Request-Id: r1",), (b"Accept: */*",)]
    stream = b"".join(
        _request([PERSON | {"age": age}] if rng.random() < 0.2 else PERSON | {"age": age}, *rng.choice(kinds))
        for age in ages
    )
    cuts = sorted(rng.sample(range(1, len(stream)), rng.randrange(1, 40)))
    with _connected(running) as (client, reader):
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
            client.sendall(stream[start:end])
        answers = [_read(reader) for _ in ages]
    assert [status for status, _, _ in answers] == [200] * 25
    said = [body[0] if isinstance(body, list) else body for _, _, body in answers]
    expected = server.slots.champion.scorer.score_rows([tuple((PERSON | {"age": age}).values()) for age in ages])
    assert [one["probability"] for one in said] == [one.probabilities[-1] for one in expected]
    assert len(server.log.records) == 25
