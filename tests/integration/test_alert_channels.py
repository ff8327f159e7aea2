"""Channels against a real receiver: what arrives, what is tried again, and what is never told. About 8 CPU seconds."""

import base64
import hashlib
import hmac
import json
import resource
import threading
from contextlib import suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from vigie.adapters.notifiers.channels import AppriseChannel, Post, WebhookChannel
from vigie.domain.alert import Alert, Severity
from vigie.errors import StorageError
from vigie.testing import FakeClock

KEY = bytes(range(32))
ALERT = Alert("churn", Severity.PAGE, "realised performance fell\nX-Forged: 1", "One.\nTwo <b>.", "msg_7", "1")
NOISE = bytes(1 << 20)
HERE = Post(timedelta(seconds=10), allow_private=True)
AWAY = Post(timedelta(seconds=10), allow_private=False)


class Receiver:
    """Remembers what it got; answers with the codes it was given, then 200."""

    def __init__(self):
        self.got, self.codes, self.hold = [], [], threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.got.append((self.path, dict(self.headers.items()), body))
                if self.path.startswith("/slow"):
                    receiver.hold.wait(30)
                code = receiver.codes.pop(0) if receiver.codes else 200
                self.send_response(code)
                if self.path.startswith("/endless"):
                    self.end_headers()
                    with suppress(OSError):
                        while not receiver.hold.is_set():
                            self.wfile.write(NOISE)
                    return
                if code == 302:
                    self.send_header("location", "/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver():
    """Listen on this machine."""
    made = Receiver()
    yield made
    made.hold.set()
    made.server.shutdown()
    made.server.server_close()


def _webhook(address, post=HERE):
    return WebhookChannel("webhook 1", f"http://{address}", KEY, post, FakeClock())


def test_a_busy_receiver_is_tried_again_under_the_same_id(receiver):
    """Twice busy, then taken: three tries, one id, each signed for its own moment."""
    receiver.codes = [503, 429]
    _webhook(f"{receiver.address}/x").send(ALERT)
    assert len(receiver.got) == 3
    assert {headers["webhook-id"] for _, headers, _ in receiver.got} == {"msg_7"}
    for _, headers, body in receiver.got:
        signed = b".".join([b"msg_7", headers["webhook-timestamp"].encode(), body])
        expected = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{expected}"
        assert headers["content-type"] == "application/cloudevents+json; charset=utf-8"
        assert json.loads(body)["data"]["body"] == "One.\nTwo <b>."


@pytest.mark.parametrize("code", [302, 401, 404])
def test_a_no_is_taken_for_a_no(receiver, code):
    """It is not tried again, and a redirect is not followed."""
    receiver.codes = [code]
    with pytest.raises(StorageError, match=f"answered {code}"):
        _webhook(f"{receiver.address}/x").send(ALERT)
    assert [path for path, _, _ in receiver.got] == ["/x"]


def test_a_receiver_that_never_answers_holds_nobody_up(receiver):
    """The message has an end in time."""
    with pytest.raises(StorageError, match=r"longer than|cannot be reached"):
        _webhook(f"{receiver.address}/slow", Post(timedelta(seconds=1), allow_private=True)).send(ALERT)


def test_an_answer_without_end_is_not_read(receiver):
    """The status is all that a webhook waits for."""
    _webhook(f"{receiver.address}/endless").send(ALERT)
    assert len(receiver.got) == 1


def test_an_answer_without_end_does_not_take_the_memory(receiver):
    """A library that reads answers whole comes to its process's limit; the machine does not."""
    with pytest.raises(StorageError):
        AppriseChannel("json (channel 1)", f"json://{receiver.address}/endless", HERE).send(ALERT)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 1.1 * (1 << 20)  # KiB


def test_apprise_delivers_and_a_title_stays_one_line(receiver):
    """A feature's name cannot add a header."""
    AppriseChannel("json (channel 1)", f"json://{receiver.address}/a", HERE).send(ALERT)
    ((_, _, body),) = receiver.got
    said = json.loads(body)
    assert said["title"] == "[page] churn: realised performance fell X-Forged: 1"
    assert said["message"] == "One.\nTwo <b>."
    assert said["type"] == "failure"


@pytest.mark.parametrize("url", ["json://user:s3cret@{}/t0ken", "http://{}/t0ken"])
def test_a_private_place_is_not_reached_and_no_secret_is_told(receiver, url):
    """Neither by Apprise nor by a webhook; the error names the channel and the setting, not the address."""
    address = url.format(receiver.address)
    channel = (
        AppriseChannel("the channel", address, AWAY)
        if url.startswith("json")
        else WebhookChannel("the channel", address, KEY, AWAY, FakeClock())
    )
    with pytest.raises(StorageError, match=r"alerting\.allow_private") as caught:
        channel.send(ALERT)
    assert receiver.got == []
    said = repr(caught.value) + str(caught.value) + repr(channel)
    assert not [word for word in ("s3cret", "t0ken", "127.0.0.1") if word in said]


@pytest.mark.parametrize("url", ["nonsense", "nosuchservice://x", "mailto://"])
def test_an_address_that_apprise_does_not_know_is_told(url):
    """Without repeating it."""
    with pytest.raises(StorageError, match="Apprise does not understand its address") as caught:
        AppriseChannel("the channel", url, AWAY).send(ALERT)
    assert url not in str(caught.value)
