"""Alerts and the page by the command line. About 15 CPU seconds."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pyarrow.parquet as pq
import pytest

from vigie.testing.tables import churn_table


@pytest.fixture
def receiver():
    """Listen on this machine; return its port and what it got."""
    got = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            got.append((self.headers["webhook-id"], json.loads(body)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1], got
    server.shutdown()
    server.server_close()


def test_a_silent_server_is_told_listed_and_shown(project, receiver, tools):
    """The watcher ends with 1, the webhook gets one event, ``vigie alerts`` lists it, ``vigie history`` tells it."""
    port, got = receiver
    environment = {
        "VIGIE_ALERTING__WEBHOOKS": f"http://127.0.0.1:{port}/x",
        "VIGIE_ALERTING__WEBHOOK_SECRET": "${HOOK}",
        "VIGIE_ALERTING__ALLOW_PRIVATE": "true",
        "VIGIE_MONITORING__SERVICE": f"http://127.0.0.1:{tools.port()}",
        "HOOK": "whsec_" + "A" * 44,
    }
    tried = project.run("alerts", "test", **environment)
    assert tried.stdout.split() == ["delivered", "log", "delivered", "webhook", "1"]
    for _ in range(2):
        project.run("watch", "--once", expect=1, **environment)
    assert [event["type"] for _, event in got] == ["vigie.alert.test", "vigie.alert.opened"]
    (alert,) = project.json("alerts")
    assert (alert["alert"], alert["severity"], alert["told"]) == ("churn.service.1", "page", True)
    assert project.json("history")[-1]["evidence"]["message"]["id"] == got[-1][0]
    assert "the service is not well" in project.run("alerts").stdout


def test_a_window_is_told_as_a_page(project, tmp_path):
    """The same verdict on the page and in JSON; ``--fail-on alarm`` ends with 1."""
    table, page = tmp_path / "changed.parquet", tmp_path / "new" / "page.html"
    pq.write_table(churn_table(2_000, seed=3, drift=1.0, relation=1.0), table)
    report = json.loads(
        project.run(
            "monitor", "--data", str(table), "--html", str(page), "--fail-on", "alarm", "--json", expect=1
        ).stdout
    )[0]
    told = page.read_text(encoding="utf-8")
    assert report["verdict"] == "alarm"
    assert '<dd class="value">alarm</dd>' in told
    assert told.count("<svg") == len(report["features"]) + 3
    assert "<script" not in told


def test_a_page_shows_one_window(project, tmp_path):
    """Many windows are a table, not a page."""
    done = project.run(
        "monitor", "--data", "churn.parquet", "--by", "day", "--html", str(tmp_path / "p.html"), expect=2
    )
    assert "a page shows one window" in done.stderr


def test_an_empty_window_is_judged_before_evidently_refuses_it(project, tmp_path):
    """What Evidently cannot do costs nobody our own report, or the alarm that a pipeline waits for."""
    done = project.run("monitor", "--last", "1h", "--evidently", str(tmp_path / "e.html"), expect=3)
    assert "no prediction" in done.stdout.lower()
    assert "needs at least 1 row and found 0" in done.stderr


def test_a_century_of_days_is_refused(project):
    """It would take minutes, and nobody reads 36,525 lines."""
    done = project.run("monitor", "--last", "36525d", "--by", "day", expect=2)
    assert "36525d by day are 36,526 windows, and 1,000 are judged at most" in " ".join(done.stderr.split())
