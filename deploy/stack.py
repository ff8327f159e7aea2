"""Try the monitoring stack on a real server: `make stack-test`.

Prometheus and Alertmanager run as processes, with the committed configuration, rules and routes; only addresses, paths
and waiting times differ. The server, the watcher, the traffic and the webhook that is told are real, too. Grafana is
not started: what its dashboards ask is asked of this Prometheus.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import click
import httpx
import psutil
from checks import expect, free_port, until
from dashboards import committed, questions, unanswered

from vigie.testing.tables import churn_table
from vigie.wiring.demo import running_server, write_project

HERE = Path(__file__).resolve().parent
SETTINGS = "max_waiting_rows = 400\n\n[monitoring]\nin_a_row = 1\n"
Told = list[tuple[str, str, str]]
"""What the webhook was told: receiver, name of the alert, firing or resolved."""


@click.command()
def main() -> None:
    """Start everything, break it in three ways, and see that the right one is told of each."""
    prometheus, alertmanager = _program("prometheus"), _program("prometheus-alertmanager", "alertmanager")
    if prometheus is None or alertmanager is None:
        click.echo("Prometheus and Alertmanager (0.26 or newer) are not on the PATH: install them.", err=True)
        sys.exit(2)
    folder = Path(tempfile.mkdtemp(prefix="vigie-stack-"))
    try:
        with ExitStack() as stack:
            told = stack.enter_context(_webhook(folder))
            project = _project(folder)
            server = stack.enter_context(ExitStack())
            url = server.enter_context(running_server(project))
            ports = _configure(folder, url)
            stack.enter_context(_process(folder, "alertmanager", [
                alertmanager, f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/am",
                f"--web.listen-address=127.0.0.1:{ports[1]}", "--cluster.listen-address=",
            ]))  # fmt: skip
            stack.enter_context(_process(folder, "prometheus", [
                prometheus, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
                f"--web.listen-address=127.0.0.1:{ports[0]}",
            ]))  # fmt: skip
            for name, port in zip(("Prometheus", "Alertmanager"), ports, strict=True):
                until(partial(_is_ready, port), f"{name} is ready")
            _break(project, url, f"http://127.0.0.1:{ports[0]}", told, server)
    finally:
        shutil.rmtree(folder)
    left = [p.pid for p in psutil.process_iter(["cmdline"]) if str(folder) in " ".join(p.info["cmdline"] or [])]
    expect(not left and not folder.exists(), "nothing is left")


def _break(project: Path, url: str, prometheus: str, told: Told, server: ExitStack) -> None:
    calm, changed = (_rows(drift) for drift in (0.0, 1.0))
    until(lambda: _value(prometheus, 'up{job="vigie"}') == 1, "Prometheus reads the server")
    for _ in range(4):
        httpx.post(f"{url}/predict", json=calm[:300]).raise_for_status()
        time.sleep(1)
    _watch(project)
    time.sleep(5)
    # A machine under load may be told that it is slow, and rightly so: what is asserted is silence about these three.
    early = {name for _, name, _ in told} & {"VigieFailures", "VigieInputsChanged", "VigieDown"}
    expect(not early, f"calm traffic, judged by the watcher, raises none of the three (heard: {told})")

    with _asking(url, calm[:300], callers=8):  # together more than the log may have waiting: some get 503
        until(lambda: _heard(told, "pages", "VigieFailures"), "a burst of errors pages")

    for start in range(0, 3_000, 300):
        _tell(url, httpx.post(f"{url}/predict", json=changed[start : start + 300], timeout=60).raise_for_status())
    _watch(project)
    until(lambda: _heard(told, "notices", "VigieInputsChanged"), "changed inputs are a notice")
    expect(not any(name == "VigieInputsChanged" and to == "pages" for to, name, _ in told), "and page nobody")
    until(lambda: ("pages", "VigieFailures", "resolved") in told, "the errors' end is told")
    expect(not _heard(told, "pages", "VigieDown"), "a server that answers is not called down")

    with _asking(url, calm[:1], callers=1, pause_s=0.5):  # rates and shares are of requests: there must be some
        _ask_dashboards(prometheus)

    server.close()
    until(lambda: _heard(told, "pages", "VigieDown"), "a server that stopped pages")


def _ask_dashboards(prometheus: str) -> None:
    """Ask what the dashboards ask; and, to see that this can fail, the same with a metric's name misspelt."""
    asked = questions(committed())
    until(lambda: not unanswered(asked, prometheus), f"all {len(asked)} expressions of the dashboards return data",
           lambda: "\n    " + "\n    ".join(unanswered(asked, prometheus)))  # fmt: skip
    wrong = [one._replace(expression=one.expression.replace("predictions", "predictons")) for one in asked]
    misspelt = [one.place for one, told in zip(wrong, asked, strict=True) if one != told]
    found = unanswered(wrong, prometheus)
    expect(len(found) == len(misspelt) > 0 and all(map(str.startswith, found, misspelt)), "a misspelt metric is found")


def _tell(url: str, answered: httpx.Response) -> None:
    """Tell the outcome of every tenth prediction: enough to judge performance, too few to retrain."""
    outcomes = [
        {"prediction_id": answer["prediction_id"], "outcome": answer["prediction"]} for answer in answered.json()[::10]
    ]
    httpx.post(f"{url}/feedback", json=outcomes, timeout=60).raise_for_status()


@contextmanager
def _asking(url: str, rows: list[dict[str, Any]], *, callers: int, pause_s: float = 0.0) -> Iterator[None]:
    """Let callers ask at once, again and again."""
    ended = threading.Event()

    def ask() -> None:
        while not ended.wait(pause_s):
            httpx.post(f"{url}/predict", json=rows, timeout=30)

    threads = [threading.Thread(target=ask) for _ in range(callers)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def _rows(drift: float) -> list[dict[str, Any]]:
    table = churn_table(3_000, seed=5, drift=drift)
    rows: list[dict[str, Any]] = table.drop_columns(["churn", "client_id"]).to_pylist()
    return rows


def _project(folder: Path) -> Path:
    project = folder / "project"
    write_project(project)
    settings = project / "vigie.toml"
    text = settings.read_text(encoding="utf-8").replace(', "gradient_boosting"', "")
    settings.write_text(text + SETTINGS, encoding="utf-8")
    _vigie(project, "train")
    return project


def _watch(project: Path) -> None:
    _vigie(project, "watch", "--once", codes=(0, 1))


def _vigie(project: Path, *arguments: str, codes: Sequence[int] = (0,)) -> None:
    command = [sys.executable, "-m", "vigie", *arguments, "--project", str(project)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    expect(done.returncode in codes, f"vigie {' '.join(arguments)} ends well", done.stderr)


def _configure(folder: Path, url: str) -> tuple[int, int]:
    """Write the committed configuration with this run's addresses and paths and shorter waits; return the ports."""
    ports = (free_port(), free_port())
    shutil.copytree(HERE / "prometheus" / "rules", folder / "rules")
    for file in (folder / "rules").iterdir():
        text = re.sub(r"for: \w+", "for: 8s", file.read_text(encoding="utf-8"))
        file.write_text(text.replace("[5m]", "[20s]"), encoding="utf-8")
    told = (HERE / "prometheus" / "prometheus.yml").read_text(encoding="utf-8")
    for old, new in {
        "15s": "2s", "/etc/prometheus/rules": f"{folder}/rules", "alertmanager:9093": f"127.0.0.1:{ports[1]}",
        "/run/secrets": str(folder), "api:8000": url.removeprefix("http://"), "localhost:9090": f"127.0.0.1:{ports[0]}",
    }.items():  # fmt: skip
        expect(old in told, f"{old} is configured as {new}")
        told = told.replace(old, new)
    (folder / "prometheus.yml").write_text(told, encoding="utf-8")
    (folder / "metrics.key").write_text("", encoding="utf-8")
    routes = (
        (HERE / "alertmanager" / "alertmanager.yml").read_text(encoding="utf-8").replace("/run/secrets", str(folder))
    )
    routes = re.sub(r"group_wait: \w+", "group_wait: 1s", re.sub(r"group_interval: \w+", "group_interval: 2s", routes))
    (folder / "alertmanager.yml").write_text(routes, encoding="utf-8")
    return ports


@contextmanager
def _webhook(folder: Path) -> Iterator[Told]:
    told: Told = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            told.extend((self.path[1:], alert["labels"]["alertname"], alert["status"]) for alert in body["alerts"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    for name in ("page", "notice"):
        (folder / f"{name}.url").write_text(f"http://127.0.0.1:{server.server_address[1]}/{name}s", encoding="utf-8")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def _process(folder: Path, name: str, command: Sequence[str]) -> Iterator[None]:
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        yield
    except AssertionError:
        click.echo((folder / f"{name}.log").read_text()[-2_000:], err=True)
        raise
    finally:
        process.terminate()
        process.wait(20)


def _is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/-/ready").status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _value(prometheus: str, query: str) -> float | None:
    try:
        found = httpx.get(f"{prometheus}/api/v1/query", params={"query": query}).json()["data"]["result"]
    except httpx.HTTPError:
        return None
    return float(found[0]["value"][1]) if found else None


def _heard(told: Told, receiver: str, alert: str) -> bool:
    return (receiver, alert, "firing") in told


def _program(*names: str) -> str | None:
    return next((found for name in names if (found := shutil.which(name))), None)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(1))  # so that what was started is ended
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
