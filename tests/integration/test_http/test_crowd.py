"""More connections than may be open: the first ones are served, the others told at once, and room is found again."""

import contextlib
import json
import socket
import time

import httpx
import pytest

from vigie.api import connection
from vigie.api.server import make_server
from vigie.api.telemetry import Telemetry
from vigie.inference.slots import Slots

PERSON = {"age": 30, "income": 12.5, "city": "Lyon", "vip": True}
BODY = json.dumps(PERSON).encode()
REQUEST = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
MOST = 5


@pytest.fixture
def crowded(server, run_made):
    """Return the port and the telemetry of a server that bears five connections."""
    telemetry = Telemetry(Slots())
    made = make_server(server.app, keep_alive_s=75, drain_s=5, telemetry=telemetry, max_connections=MOST)
    with socket.create_server(("127.0.0.1", 0)) as listener, run_made(made, listener):
        yield listener.getsockname()[1], telemetry


def _open(port):
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def _ask(client):
    client.sendall(REQUEST % (len(BODY), BODY))
    return client.recv(65_536)


def _refused(telemetry):
    return int(
        telemetry.exposition().decode().partition("\nvigie_connections_refused_total ")[2].split()[0].split(".")[0]
    )


def test_one_too_many_is_told_at_once_and_the_others_are_served(crowded):
    """503 as a problem with Retry-After and an end; whoever is in is answered, and a place that is left is taken."""
    port, telemetry = crowded
    inside = [_open(port) for _ in range(MOST)]
    assert {_ask(client)[:13] for client in inside} == {b"HTTP/1.1 200 "}
    with _open(port) as late:
        head, _, body = _ask(late).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 1" in head.lower()
        assert json.loads(body)["type"] == "urn:vigie:problem:too-many-connections"
        assert late.recv(1) == b""
    assert _refused(telemetry) == 1
    assert {_ask(client)[:13] for client in inside} == {b"HTTP/1.1 200 "}
    inside.pop().close()
    deadline = time.monotonic() + 30
    while httpx.post(f"http://127.0.0.1:{port}/predict", json=PERSON).status_code != 200:
        assert time.monotonic() < deadline, "the place that was left stays taken"
    for client in inside:
        client.close()


def test_who_says_nothing_does_not_stay(crowded):
    """A connection beyond the most is closed after a second or two, whether or not it ever asks."""
    port, _ = crowded
    inside = [_open(port) for _ in range(MOST)]
    assert {_ask(client)[:13] for client in inside} == {b"HTTP/1.1 200 "}
    with _open(port) as silent:
        began_s = time.perf_counter()
        with contextlib.suppress(ConnectionResetError):  # an abrupt end is one, too
            assert silent.recv(1) == b""
        assert time.perf_counter() - began_s < 20
    for client in inside:
        client.close()


def test_a_crowd_outside_is_cut_off(crowded, monkeypatch):
    """Beyond those that are told, nobody is: what is open stays bounded."""
    monkeypatch.setattr(connection, "MAX_TOLD", 3)
    port, telemetry = crowded
    crowd = [_open(port) for _ in range(MOST + 40)]
    time.sleep(0.3)
    answers = []
    for client in crowd:
        try:
            answers.append(_ask(client)[:13])
        except (ConnectionResetError, BrokenPipeError):
            answers.append(b"")
    assert answers.count(b"HTTP/1.1 200 ") == MOST
    assert answers.count(b"HTTP/1.1 503 ") == 3
    assert answers.count(b"") == 37
    assert _refused(telemetry) == 40
    for client in crowd:
        client.close()


def test_how_many_are_open_is_a_metric(crowded):
    """Looked at once a second."""
    port, telemetry = crowded
    with _open(port) as one, _open(port) as other:
        assert {_ask(client)[:13] for client in (one, other)} == {b"HTTP/1.1 200 "}
        deadline = time.monotonic() + 10
        while 'vigie_connections{worker="0"} 2.0' not in telemetry.exposition().decode():
            assert time.monotonic() < deadline
            time.sleep(0.05)
