"""Where the delivery's files are, and the tools that check them, where a machine has them."""

import importlib.util
import json
import re
import shutil
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def deploy():
    """Return the folder of what is deployed."""
    return ROOT / "deploy"


@pytest.fixture(scope="session")
def tool():
    """Return a function that runs a program, or skips where the machine has none of that name."""

    def run(name, *arguments):
        program = shutil.which(name)
        if program is None:
            pytest.skip(f"{name} is not installed")
        return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False)

    return run


def script(path):
    """Import a script of ``deploy/``."""
    spec = importlib.util.spec_from_file_location(f"vigie_deploy_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # named tuples look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def generator(deploy):
    """Return the module that writes the dashboards."""
    pytest.importorskip("grafana_foundation_sdk", reason="grafana-foundation-sdk is not installed")
    return script(deploy / "grafana" / "generate.py")


@pytest.fixture(scope="session")
def dashboards(deploy):
    """Return the module that asks what the dashboards ask."""
    return script(deploy / "dashboards.py")


@pytest.fixture(scope="session")
def metrics(deploy):
    """Return the labels of every metric by its name: those of the reference, and those that rules record."""
    rows = re.findall(
        r"^\| `(vigie_\w+)` \| (\w+) \| ([^|]+) \|",
        (ROOT / "docs" / "reference" / "metrics.md").read_text(),
        re.MULTILINE,
    )
    known = {}
    for name, kind, labels in rows:
        for suffix in ("_bucket", "_sum", "_count") if kind == "histogram" else ("",):
            known[name + suffix] = set(re.findall(r"`(\w+)`", labels))
    recorded = yaml.safe_load((deploy / "prometheus" / "rules" / "recording.yml").read_text())
    return known | {rule["record"]: set() for group in recorded["groups"] for rule in group["rules"]}


@pytest.fixture
def answering():
    """Return a function that serves a function of path and query as JSON over HTTP, and returns its address."""
    with ExitStack() as stack:
        yield lambda answer: stack.enter_context(_answering(answer))


@contextmanager
def _answering(answer):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            address = urlsplit(self.path)
            body = json.dumps(answer(address.path, parse_qs(address.query).get("query", [""])[0])).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
