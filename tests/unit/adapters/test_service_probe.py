"""What a server's own metrics say, read back."""

import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from vigie.adapters.service_probe import HttpServiceProbe, read_sample
from vigie.api.telemetry import Telemetry
from vigie.inference.slots import Slots
from vigie.testing import FakeClock


@pytest.fixture
def exposition():
    """Return what a server exposes after three good answers and one failure."""
    telemetry = Telemetry(Slots())
    telemetry.attend(SimpleNamespace(depth=lambda: 7, last_sync_s=lambda: 0.004))
    for code in ("200", "200", "422", "503"):
        telemetry.requests.note("/predict", "POST", code, 0.001)
    for code in ("503", "503", "200"):
        telemetry.requests.note("/readyz", "GET", code, 0.001)
    return telemetry.exposition().decode()


def test_a_servers_own_metrics_are_understood(exposition):
    """Only the server's faults are failures, and no probe of its readiness is; the names are those it writes."""
    found = read_sample(exposition, declared=True, now_s=4e9)
    assert (found.requests, found.failures, found.log_depth, found.log_sync_s) == (4, 1, 7, 0.004)
    assert None not in (found.cpu_s, found.memory_bytes, found.started_at_s)
    assert found.uptime_s == pytest.approx(4e9 - found.started_at_s)


@pytest.mark.parametrize("began", ["1e300", "-5", "9e9"])
def test_a_start_that_no_clock_gave_is_none(began):
    """Nothing can be dated by it."""
    found = read_sample(f"vigie_process_start_time_seconds {began}\n", declared=True, now_s=1e9)
    assert (found.started_at_s, found.uptime_s) == (None, None)


def test_what_is_no_exposition_is_refused():
    """An error page is not a healthy server."""
    with pytest.raises(ValueError, match=r"."):
        read_sample("<html>{{{", declared=True, now_s=0.0)


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "http://[", "ftp://x", "nonsense", "http://invalid.invalid"])
def test_a_server_that_cannot_be_asked_is_a_sample_with_a_reason(address):
    """Never an exception."""
    found = HttpServiceProbe(address, key=None, declared=False, clock=FakeClock()).sample()
    assert found.trouble.startswith(f"The server at {address} does not answer")


class _Endless(BaseHTTPRequestHandler):
    """Answers with metrics that never end."""

    sent = 0

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        with suppress(OSError):
            while True:
                self.wfile.write(b"# " + bytes(1 << 16))
                type(self).sent += 1 << 16

    def log_message(self, *_):
        """Say nothing."""


def test_metrics_without_end_are_not_read_to_the_end():
    """What answers on that port may be anything; the watch goes on."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Endless)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        address = f"http://127.0.0.1:{server.server_address[1]}"
        found = HttpServiceProbe(address, key=None, declared=True, clock=FakeClock()).sample()
    finally:
        server.shutdown()
        server.server_close()
    assert "sent more metrics than can be meant" in found.trouble
    assert _Endless.sent < 64 * 2**20
