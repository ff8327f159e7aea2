"""Which addresses may be reached, and that the others are not."""

import json
import socket
import subprocess
import sys

import pytest

from vigie.adapters.notifiers.guard import is_public

PRIVATE = (
    "127.0.0.1", "127.255.255.254", "0.0.0.0",  # noqa: S104  refused, not bound
    "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::1%lo", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "2002:7f00:1::",
    "2002:a00:1::", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2001:0:0:0:0:0:f5ff:fffe",
    "localhost", "metadata.internal", "", "/var/run/docker.sock", None, b"8.8.8.8", ("8.8.8.8", 53),
)  # fmt: skip
PUBLIC = ("8.8.8.8", "1.1.1.1", "172.32.0.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808")


@pytest.mark.parametrize("host", PRIVATE, ids=repr)
def test_what_is_not_public_is_told_apart(host):
    """Every way to write this machine, a private network, a metadata service or no address at all."""
    assert not is_public(host)


@pytest.mark.parametrize("host", PUBLIC)
def test_what_is_public_may_be_reached(host):
    """Control: the rule does not refuse everything."""
    assert is_public(host)


PROGRAM = """
import json, socket, subprocess, sys
from vigie.adapters.notifiers.guard import guard
port = int(sys.argv[1])
real = socket.getaddrinfo
answers = iter([[(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", port))]])
socket.getaddrinfo = lambda *a, **k: next(answers, None) or real("127.0.0.1", port, type=socket.SOCK_STREAM)
refused = guard(allow_private=sys.argv[2] == "yes")
told = []
def tried(what):
    try:
        what()
        told.append("done")
    except OSError as exc:
        told.append(type(exc).__name__)
socket.getaddrinfo("evil.example", port)  # the check of a careless sender: a public address
tried(lambda: socket.create_connection(("evil.example", port), timeout=5))  # what is connected to: another one
tried(lambda: socket.socket(socket.AF_INET).connect(("localhost", port)))
tried(lambda: socket.socket(socket.AF_INET6).connect(("::ffff:127.0.0.1", port)))
tried(lambda: socket.socket(socket.AF_INET).connect_ex(("127.0.0.1", port)))
tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", port)))
tried(lambda: subprocess.run(["true"]))
print(json.dumps([told, refused]))
"""


def _guarded(allowed):
    """Run the program beside a listener; return what it was told, and how many connections arrived."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        line = [sys.executable, "-c", PROGRAM, str(listener.getsockname()[1]), allowed]
        done = subprocess.run(line, capture_output=True, text=True, check=True, timeout=60)
        arrived = 0
        try:
            while True:
                listener.accept()[0].close()
                arrived += 1
        except BlockingIOError:
            return *json.loads(done.stdout), arrived


def test_a_name_that_changes_its_meaning_reaches_nothing():
    """The address that is connected to is the one that is checked: not one connection, and no program started."""
    told, refused, arrived = _guarded("no")
    assert told == ["ForbiddenAddressError"] * 6
    assert len(refused) == 6
    assert arrived == 0


def test_a_private_place_is_reached_where_it_is_allowed():
    """Control: the same program arrives; starting programs stays refused."""
    told, _, arrived = _guarded("yes")
    assert told[:2] == ["done", "done"]
    assert told[-1] == "ForbiddenAddressError"
    assert arrived >= 3
