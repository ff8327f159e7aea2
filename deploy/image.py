"""Build the images and try the serving one as production would run it: `make image`.

The Dockerfile is built as it is, by Docker or by Podman. The container then runs with a read-only root file system, no
capability, as nobody in particular, on a loopback port; it must answer, be healthy, stop cleanly and keep its log.
"""

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import run
from typing import Any

import click
import httpx
from engine import CannotBuildError, Engine, find_engine

from vigie.testing.tables import churn_table
from vigie.wiring.demo import write_project

ROOT = Path(__file__).resolve().parents[1]
PORT = 18_080
URL = f"http://127.0.0.1:{PORT}"
READY_S = 60.0
# fmt: off
HARDENED = (
    "--read-only", "--tmpfs", "/tmp:rw,noexec,nosuid,size=64m",  # noqa: S108 - the container's own
    "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--memory", "512m", "--pids-limit", "128",
    "--env", "VIGIE_ACCESS__INSECURE=true",
)
# fmt: on


@click.command()
@click.option("--target", "targets", multiple=True, default=("serve",), type=click.Choice(["serve", "train"]))
def main(targets: tuple[str, ...]) -> None:
    """Build TARGETS, then try the serving image; end with 1 when it does not do what it must."""
    try:
        engine = find_engine()
        base = engine.provide_base()
    except CannotBuildError as error:
        click.echo(f"No image can be built here: {error}", err=True)
        sys.exit(2)
    for target in dict.fromkeys((*targets, "serve")):
        engine.build(ROOT, "deploy/Dockerfile", f"vigie/{target}:dev", "--target", target, *base.arguments)
        click.echo(
            f"vigie/{target}:dev  {engine.size_mb(f'vigie/{target}:dev') - base.size_mb:.0f} MB above {base.name}"
        )
    with tempfile.TemporaryDirectory(prefix="vigie-image-") as folder, _served(engine, Path(folder)) as name:
        _try(engine, name)


@contextmanager
def _served(engine: Engine, folder: Path) -> Iterator[str]:
    """Bake a churn model into an image and yield the name of a container of it; nothing is left of either."""
    write_project(folder)
    here = Path(sys.executable).with_name("vigie")
    run([here, "train", "--project", folder], check=True, capture_output=True)
    environ = os.environ | {"VIGIE_STORES__BUNDLES": str(folder / "bundles")}
    run([here, "follow", "--once", "--project", folder], check=True, env=environ)
    shutil.copy(ROOT / "deploy" / "baked.Dockerfile", folder)
    shutil.rmtree(folder / ".vigie")
    name = f"vigie-try-{folder.name[-8:].lower()}"
    engine.build(folder, "baked.Dockerfile", name, "--build-arg", "SERVE=vigie/serve:dev")
    try:
        engine.call("run", "--detach", "--name", name, *HARDENED, "--volume", f"{name}:/var/lib/vigie",
                    "--publish", f"127.0.0.1:{PORT}:8000", name)  # fmt: skip
        yield name
    except (AssertionError, httpx.HTTPError):
        click.echo(engine.call("logs", name, check=False), err=True)
        raise
    finally:
        engine.call("rm", "--force", name, check=False)
        engine.call("volume", "rm", "--force", name, check=False)
        engine.call("rmi", "--force", name, check=False)


def _try(engine: Engine, name: str) -> None:
    began = time.monotonic()
    _wait_ready()
    click.echo(f"answers after {time.monotonic() - began:.1f} s")
    row = churn_table(1, seed=1).drop_columns(["churn", "client_id"]).to_pylist()[0]
    answer = httpx.post(f"{URL}/predict", json=row).raise_for_status().json()
    click.echo(f"POST /predict: {answer['prediction']}, probability {answer['probability']:.3f}")
    _expect(engine.is_healthy(name), "the container is healthy")
    state = _inside(engine, name)
    _expect(state["uid"] == 10001, "it runs as 10001")
    _expect(int(state["CapEff"], 16) == 0, "it has no capability")
    _expect(state["NoNewPrivs"] == "1", "it can gain none")
    _expect(state["written"] == "Read-only file system", "its root file system is read-only")
    _expect(state["imports"] == [], "neither MLflow nor scikit-learn, numpy or pip is in it")
    engine.call("stop", "--time", "15", name)
    _expect(engine.exit_code(name) == 0, "it stops cleanly")
    engine.call("start", name)
    _wait_ready()
    told = {"prediction_id": answer["prediction_id"], "outcome": "oui"}
    kept = httpx.post(f"{URL}/feedback", json=told).raise_for_status().json()
    _expect(kept.get("matched") is not False, "the prediction is in the log after a restart")


def _inside(engine: Engine, name: str) -> dict[str, Any]:
    code = (
        "import json, os, importlib.util as u\n"
        "said = dict(l.split(':\\t') for l in open('/proc/self/status').read().splitlines() if ':\\t' in l)\n"
        "try: open('/opt/vigie/x', 'w'); written = 'yes'\n"
        "except OSError as error: written = error.strerror\n"
        "found = [n for n in ('mlflow', 'sklearn', 'numpy', 'pandas', 'pip') if u.find_spec(n)]\n"
        "print(json.dumps({'uid': os.getuid(), 'CapEff': said['CapEff'], 'NoNewPrivs': said['NoNewPrivs'],\n"
        "  'written': written, 'imports': found}))"
    )
    found: dict[str, Any] = json.loads(engine.call("exec", name, "python", "-c", code))
    return found


def _expect(holds: bool, sentence: str) -> None:  # noqa: FBT001 - reads as a sentence
    click.echo(f"{'ok ' if holds else 'NOT'} {sentence}")
    assert holds, sentence  # noqa: S101 - this is a test


def _wait_ready() -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{URL}/readyz").status_code == httpx.codes.OK:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"not ready after {READY_S:.0f} s")


if __name__ == "__main__":
    main()
