"""Every way to ask a server keeps the port's contract."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from vigie.adapters.service_probe import HttpServiceProbe
from vigie.domain.service import ServiceSample
from vigie.testing import FakeClock, FixedService
from vigie.testing.conformance import ServiceProbeSuite

EXPOSITION = b'vigie_requests_total{code="200"} 3.0\nvigie_requests_total{code="500"} 1.0\n'


class TestFixedService(ServiceProbeSuite):
    """The fake."""

    @pytest.fixture
    def probe(self):
        """Return a server that says what it was told to."""
        return FixedService(ServiceSample(requests=4, failures=1))

    @pytest.fixture
    def silence(self, probe):
        """Return what makes it silent."""

        def fall_silent():
            probe.answer = ServiceSample(trouble="It is away.")

        return fall_silent


class TestHttpServiceProbe(ServiceProbeSuite):
    """A server over HTTP."""

    @pytest.fixture
    def server(self):
        """Serve metrics on this machine."""

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200 if self.path == "/metrics" else 404)
                self.send_header("content-length", str(len(EXPOSITION)))
                self.end_headers()
                self.wfile.write(EXPOSITION)

            def log_message(self, *_):
                """Say nothing."""

        made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()
        made.server_close()

    @pytest.fixture
    def probe(self, server):
        """Return a probe of it."""
        address = f"http://127.0.0.1:{server.server_address[1]}"
        return HttpServiceProbe(address, key=None, declared=True, clock=FakeClock())

    @pytest.fixture
    def silence(self, server):
        """Return what stops it."""

        def stop():
            server.shutdown()
            server.server_close()

        return stop
