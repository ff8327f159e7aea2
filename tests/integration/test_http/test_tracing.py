"""Spans as a collector receives them: over the wire, in OTLP, read with OpenTelemetry's own messages."""

import io
import json
import logging
import os
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from vigie.wiring.logs import JsonLines
from vigie.wiring.tracing import is_wanted, traced

pytest.importorskip("opentelemetry.exporter.otlp.proto.http")

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

PERSON = {"age": 30, "income": 12.5, "city": "Lyon", "vip": True}
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CONTEXT = {"traceparent": f"00-{TRACE}-{PARENT}-01"}


@pytest.fixture
def collector(monkeypatch):
    """Return the spans that a collector on this machine received, each with its resource."""
    received = []

    class _Collector(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/v1/traces":
                for group in ExportTraceServiceRequest.FromString(body).resource_spans:
                    resource = _plain(group.resource.attributes)
                    received.extend((span, resource) for scope in group.scope_spans for span in scope.spans)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), _Collector) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{listening.server_port}")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
        yield received
        listening.shutdown()
        thread.join()


def _plain(attributes):
    return {item.key: item.value.int_value or item.value.string_value for item in attributes}


@pytest.mark.parametrize("fast_path", [True, False])
def test_a_request_is_a_span_of_its_callers_trace(collector, make_server_of, fast_path):
    """Both ways: the route, the status, the parent; and without a context, a trace of its own."""
    server = make_server_of(fast_path=fast_path)
    with traced(server.app, "people") as app:
        server.app = app
        request_id = server.post("/predict", PERSON, **CONTEXT).headers["x-request-id"]
        server.post("/predict", b"{")
        server.get("/v2/models/secret-name")
        server.get("/secret-path")
        server.log.broken = True
        server.post("/predict", PERSON, traceparent="00-nonsense")
    spans = [span for span, _ in collector]
    assert [span.name for span in spans] == [
        "POST /predict", "POST /predict", "GET /v2/models/{name}", "GET other", "POST /predict",
    ]  # fmt: skip
    first, *others = spans
    assert (first.trace_id.hex(), first.parent_span_id.hex()) == (TRACE, PARENT)
    assert first.kind == first.SPAN_KIND_SERVER
    assert _plain(first.attributes) == {
        "http.request.method": "POST", "http.route": "/predict", "http.response.status_code": 200,
        "url.scheme": "http", "vigie.request_id": request_id,
    }  # fmt: skip
    assert 0 < first.end_time_unix_nano - first.start_time_unix_nano < 60e9
    assert [_plain(span.attributes)["http.response.status_code"] for span in others] == [400, 404, 404, 503]
    assert len({span.trace_id for span in spans}) == len(spans)
    assert not any(span.parent_span_id for span in others)
    assert [span.status.code == span.status.STATUS_CODE_ERROR for span in spans] == [False] * 4 + [True]
    assert {resource["service.name"] for _, resource in collector} == {"people"}
    assert "secret" not in str(collector)


def test_a_caller_may_say_that_it_does_not_record(collector, server):
    """The flag in its context is heard; nothing is sent."""
    with traced(server.app, "people") as server.app:
        server.post("/predict", PERSON, traceparent=f"00-{TRACE}-{PARENT}-00")
    assert collector == []


@pytest.mark.usefixtures("collector")
def test_the_log_lines_of_a_request_name_its_trace(server):
    """What is logged while it is answered, as JSON; and no other line."""
    stream = io.StringIO()
    handler, log = logging.StreamHandler(stream), logging.getLogger("vigie.requests")
    handler.setFormatter(JsonLines())
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        server.post("/predict", PERSON, **CONTEXT)
        with traced(server.app, "people") as server.app:
            server.post("/predict", PERSON, **CONTEXT)
    finally:
        log.removeHandler(handler)
        log.setLevel(logging.NOTSET)
    untraced, told = map(json.loads, stream.getvalue().splitlines())
    assert told["trace_id"] == TRACE
    assert "trace_id" not in untraced


def test_a_running_server_is_traced(collector, server, run_server):
    """Through a real socket, where small requests would otherwise go without a task."""
    listening = socket.create_server(("127.0.0.1", 0))
    with traced(server.app, "people") as app, listening as listener, run_server(app, listener):
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/predict"
        assert httpx.post(url, json=PERSON, headers=CONTEXT).status_code == 200
    assert [span.trace_id.hex() for span, _ in collector] == [TRACE]


def test_a_collector_that_is_away_costs_no_answer(server, monkeypatch, caplog):
    """Spans are lost, and the log says so."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    with traced(server.app, "people") as server.app:
        assert server.post("/predict", PERSON).status_code == 200
    assert "opentelemetry" in {record.name.partition(".")[0] for record in caplog.records}


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "x"}, False),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_SDK_DISABLED": "TRUE"}, False),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://c"}, False),
    ],
)
def test_tracing_is_on_only_when_asked_for(environ, wanted):
    """By OpenTelemetry's own variables."""
    assert is_wanted(environ) is wanted


@pytest.mark.parametrize("asked", [False, True])
def test_nothing_of_opentelemetry_is_loaded_unasked(asked):
    """A server without these variables loads neither SDK nor exporter; the API alone is FastAPI's own doing."""
    code = (
        "import sys, vigie.wiring.serve, vigie.wiring.tracing as t\n"
        "with t.traced(None, 'people'): print('opentelemetry.sdk' in sys.modules)"
    )
    environ = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    environ |= {"OTEL_TRACES_EXPORTER": "otlp"} if asked else {}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(asked)
