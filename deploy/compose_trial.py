"""Bring compose.yaml up as it is, train in it, ask it, and stop its server: `make compose-test`.

Our images are built, from the Dockerfile; MLflow's server is one of them. Prometheus and Alertmanager are the published
images, or, where no registry can be reached, images made of the programs of that name on this machine. Grafana has no
such program: where its image cannot be pulled, it is left out, and named. Nothing of the configuration is changed: an
alert takes as long to arrive as it would in production.
"""

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import TimeoutExpired, run
from typing import Any

import click
import httpx
import yaml
from checks import expect, free_port, until
from engine import BASE, PULL_S, CannotBuildError, Engine, find_engine

from vigie.testing.tables import churn_table

ROOT = Path(__file__).resolve().parents[1]
COMPOSE = ROOT / "deploy" / "compose.yaml"
COMMAND_S = 1_800
PORTS = ("API_PORT", "MLFLOW_PORT", "PROMETHEUS_PORT", "ALERTMANAGER_PORT", "GRAFANA_PORT")
PROFILES = ("--profile", "monitoring", "--profile", "jobs")
PROGRAMS = {"prometheus": ("prometheus",), "alertmanager": ("prometheus-alertmanager", "alertmanager")}
STANDIN = """\
ARG BASE
FROM ${BASE}
COPY usr /usr
RUN mkdir --parents /NAME && chown 65534:65534 /NAME
USER 65534:65534
WORKDIR /NAME
ENTRYPOINT ["/bin/NAME"]
"""
HOOK_NAME = "vigie_hook"
HOOK = """\
import http.server, json, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        for alert in body["alerts"]:
            print(self.path, alert["labels"]["alertname"], alert["status"], flush=True)
        self.send_response(204)
        self.end_headers()
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("", 8080), Handler).serve_forever()
"""


@dataclass(frozen=True)
class Stack:
    """The services of compose.yaml, by the command line.

    Args:
        engine: runs the containers.
        compose: the program, ``docker compose`` or ``podman-compose``.
        settings: what its ``.env`` holds.
        folder: where that is.
    """

    engine: Engine
    compose: tuple[str, ...]
    settings: dict[str, str]
    folder: Path

    def call(self, *arguments: str, check: bool = True) -> str:
        """Run a command of compose and return all that it prints.

        Raises:
            AssertionError: it failed.
        """
        told = ("--file", str(COMPOSE), "--env-file", str(self.folder / ".env"), *PROFILES)
        environ = os.environ | dict(self.engine.environ)
        done = run([*self.compose, *told, *arguments], capture_output=True, text=True, env=environ, timeout=COMMAND_S,
                   check=False)  # fmt: skip
        if check:
            expect(not done.returncode, f"`compose {' '.join(arguments)}` ends well", f":\n{done.stderr[-3_000:]}")
        return done.stdout + done.stderr

    def url(self, service: str) -> str:
        """Return where a service answers on this machine."""
        return f"http://127.0.0.1:{self.settings[f'{service.upper()}_PORT']}"


@click.command()
def main() -> None:
    """Bring it up, break it, take it down; end with 1 when it does not do what it must, with 2 where it cannot be."""
    folder = Path(tempfile.mkdtemp(prefix="vigie-compose-"))
    try:
        try:
            engine = find_engine()
            compose = _compose_of(engine)
            base = engine.provide_base()
        except CannotBuildError as error:
            click.echo(f"The stack cannot be brought up here: {error}", err=True)
            sys.exit(2)
        for target in ("serve", "train"):
            engine.build(ROOT, "deploy/Dockerfile", f"vigie/{target}:dev", "--target", target, *base.arguments)
        with _published(engine, folder) as left_out:
            if set(PROGRAMS) & set(left_out):
                click.echo("Put Prometheus and Alertmanager on the PATH.", err=True)
                sys.exit(2)
            stack = Stack(engine, compose, _settings(folder), folder)
            with _up(stack, [name for name in _services() if name not in left_out]):
                _try(stack)
        left = _left(engine)
        expect(not left, "down leaves no container, volume or network", f": {left}")
    finally:
        shutil.rmtree(folder)


def _try(stack: Stack) -> None:
    # Docker's compose waits for what depends_on names to be healthy; podman-compose does not.
    until(lambda: _status(f"{stack.url('mlflow')}/health") == httpx.codes.OK, "MLflow's server is up")
    told = " ".join(stack.call("run", "--rm", "train").split())
    expect(
        "version 1 is the champion" in told, "`compose run train` registers a champion in MLflow's server", told[-2000:]
    )
    api, prometheus = stack.url("api"), stack.url("prometheus")
    until(lambda: _status(f"{api}/readyz") == httpx.codes.OK, "the follower brings it to the server, which is ready")
    rows = churn_table(300, seed=3).drop_columns(["churn", "client_id"]).to_pylist()
    answers = httpx.post(f"{api}/predict", json=rows, timeout=60).raise_for_status().json()
    expect(len(answers) == len(rows), "300 predictions are answered and logged")
    until(lambda: _sum(prometheus, 'vigie_predictions_total{job="vigie"}') == len(rows), "Prometheus has counted them")
    rules = httpx.get(f"{prometheus}/api/v1/rules").json()["data"]["groups"]
    unwell = [rule["name"] for group in rules for rule in group["rules"] if rule["health"] == "err"]
    expect(len(rules) == 4 and not unwell, "it evaluates the rules of four files", str(unwell))
    stack.call("restart", "watch")  # it looks when it begins, then once an hour
    until(lambda: _sum(prometheus, "vigie_window_predictions") == len(rows), "the watcher judges them, for all to see")
    stack.call("stop", "api")
    until(lambda: "/pages VigieDown firing" in stack.engine.call("logs", HOOK_NAME), "a server that stopped pages")


def _left(engine: Engine) -> list[str]:
    """Return the names of what compose made and is still there."""
    names = engine.call("ps", "--all", "--format", "{{.Names}}").split()
    for kind in ("volume", "network"):
        names += engine.call(kind, "ls", "--format", "{{.Name}}").split()
    return [name for name in names if name == HOOK_NAME or re.fullmatch(r"vigie[-_](\w+)([-_]\d+)?", name)]


def _status(url: str) -> int | None:
    try:
        return httpx.get(url, timeout=10).status_code
    except httpx.TransportError:
        return None


def _sum(prometheus: str, query: str) -> float | None:
    try:
        found = httpx.get(f"{prometheus}/api/v1/query", params={"query": f"sum({query})"}).json()["data"]["result"]
    except httpx.TransportError:
        return None
    return float(found[0]["value"][1]) if found else None


@contextmanager
def _up(stack: Stack, services: list[str]) -> Iterator[None]:
    """Start services and a webhook beside them; end with nothing left of either."""
    engine = stack.engine
    try:
        stack.call("up", "--detach", *services)
        engine.call("run", "--detach", "--name", HOOK_NAME, "--network", "vigie_inside", "--network-alias", "hook",
                    "--entrypoint", "python", "vigie/serve:dev", "-c", HOOK)  # fmt: skip
        yield
    except BaseException:
        for service in services:
            click.echo(f"{service}: {stack.call('logs', service, check=False)[-2_000:]}", err=True)
        raise
    finally:
        engine.call("rm", "--force", HOOK_NAME, check=False)
        stack.call("down", "--volumes", check=False)


def _settings(folder: Path) -> dict[str, str]:
    """Write the ``.env`` that compose wants, and what it names: examples/churn, and the secrets."""
    secrets = folder / "secrets"
    secrets.mkdir()
    (secrets / "metrics.key").touch()
    for name in ("page", "notice"):
        (secrets / f"{name}.url").write_text(f"http://hook:8080/{name}s", encoding="utf-8")
    folder.chmod(0o755)  # the containers' users are not this one
    project = shutil.copytree(ROOT / "examples" / "churn", folder / "project")
    settings = {
        "PROJECT": str(project),
        "SECRETS": str(secrets),
        "GRAFANA_PASSWORD": "not-a-secret",
    }
    settings |= {name: str(free_port()) for name in PORTS}
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()), encoding="utf-8")
    return settings


def _services() -> list[str]:
    services: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    return [name for name, service in services.items() if "jobs" not in service.get("profiles", ())]


def _compose_of(engine: Engine) -> tuple[str, ...]:
    if engine.program == "docker":
        return ("docker", "compose")
    if (program := shutil.which("podman-compose")) is None:
        raise CannotBuildError("there is no podman-compose; `make compose-test` brings it.")
    return (program,)


@contextmanager
def _published(engine: Engine, folder: Path) -> Iterator[list[str]]:
    """Pull what others publish, or make stand-ins, gone afterwards; yield the services whose image is not to be had."""
    left_out, made = [], []
    services = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    try:
        for name in ("prometheus", "alertmanager", "grafana"):
            image = services[name]["image"]
            if engine.has(image) or _pulled(engine, image):
                click.echo(f"{name}: {image}")
            elif program := next((found for one in PROGRAMS.get(name, ()) if (found := shutil.which(one))), None):
                _stand_in(engine, folder / name, Path(program), image)
                made.append(image)
                click.echo(f"{name}: a stand-in for {image}, of {program}")
            else:
                left_out.append(name)
                click.echo(f"{name}: {image} cannot be pulled, and nothing here can stand in: left out")
        yield left_out
    finally:
        for image in made:  # it bears a name that is not its own
            engine.call("rmi", "--force", image, check=False)


def _pulled(engine: Engine, image: str) -> bool:
    try:
        engine.call("pull", image, timeout=PULL_S)
    except (CannotBuildError, TimeoutExpired):
        return False
    return True


def _stand_in(engine: Engine, folder: Path, program: Path, image: str) -> None:
    """Make an image of a program of this machine, with what Debian's build of it reads."""
    (folder / "usr" / "bin").mkdir(parents=True)
    shutil.copy(program, folder / "usr" / "bin" / folder.name)
    templates = Path("share") / "prometheus" / folder.name
    if (here := program.resolve().parents[1] / templates).is_dir():
        shutil.copytree(here, folder / "usr" / templates)
    (folder / "Dockerfile").write_text(STANDIN.replace("NAME", folder.name), encoding="utf-8")
    engine.build(folder, "Dockerfile", image, "--build-arg", f"BASE={BASE}")


if __name__ == "__main__":
    main()
