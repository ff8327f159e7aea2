"""Build the images and try them as production would run them: `make image`.

The Dockerfile is built as it is, by Docker or by Podman. With `--target train` a model is then trained in a container
that has no network. A server with a model in its image runs with a read-only root file system, no capability, as nobody
in particular, on a loopback port; trial.py says what it must do.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import run

import click
from checks import expect
from engine import CannotBuildError, Engine, find_engine
from trial import Container, try_one_process, try_workers

from vigie.wiring.demo import write_project

ROOT = Path(__file__).resolve().parents[1]
STATE = "/var/lib/vigie"
# fmt: off
HARDENED = (
    "--read-only", "--tmpfs", "/tmp:rw,noexec,nosuid,size=64m",  # noqa: S108 - the container's own
    "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--pids-limit", "128",
)
# fmt: on


@click.command()
@click.option("--target", "targets", multiple=True, default=("serve",), type=click.Choice(["serve", "train"]))
def main(targets: tuple[str, ...]) -> None:
    """Build TARGETS, then try them; end with 1 when one does not do what it must, with 2 where none can be built."""
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
    if "train" in targets:
        _train(engine)
    with tempfile.TemporaryDirectory(prefix="vigie-image-") as folder, _baked(engine, Path(folder)) as image:
        for trial, settings in ((try_one_process, {}), (try_workers, {"VIGIE_SERVING__WORKERS": "2"})):
            with _served(engine, image, settings) as container:
                trial(container)


def _train(engine: Engine) -> None:
    """Train examples/churn in a container: its folder read-only, no network, the state in a volume."""
    name = f"vigie-train-{os.getpid()}"
    mounts = ("--volume", f"{ROOT / 'examples' / 'churn'}:/project:ro", "--volume", f"{name}:{STATE}")
    try:
        for command, sign in (
            (("train", "--no-report"), "version 1 is the champion"),
            (("follow", "--once"), "version 1 is in the cache"),
        ):
            told = engine.call(
                "run", "--rm", *HARDENED, "--network", "none", "--memory", "2g", *mounts, "vigie/train:dev", *command,
                timeout=1_800,
            )  # fmt: skip
            expect(sign in " ".join(told.split()), f"vigie {' '.join(command)}, in a read-only container: {sign}")
    finally:
        engine.call("volume", "rm", "--force", name, check=False)


@contextmanager
def _baked(engine: Engine, folder: Path) -> Iterator[str]:
    """Yield the name of an image with a churn model in it, and of a volume; nothing is left of either."""
    write_project(folder)
    here = Path(sys.executable).with_name("vigie")
    run([here, "train", "--no-report", "--project", folder], check=True, capture_output=True)
    environ = os.environ | {"VIGIE_STORES__BUNDLES": str(folder / "bundles")}
    run([here, "follow", "--once", "--project", folder], check=True, env=environ)
    shutil.copy(ROOT / "deploy" / "baked.Dockerfile", folder)
    shutil.rmtree(folder / ".vigie")
    name = f"vigie-try-{os.getpid()}"  # a folder's own name may end in what no image may be called
    engine.build(folder, "baked.Dockerfile", name, "--build-arg", "SERVE=vigie/serve:dev")
    try:
        yield name
    finally:
        engine.call("volume", "rm", "--force", name, check=False)
        engine.call("rmi", "--force", name, check=False)


@contextmanager
def _served(engine: Engine, image: str, settings: dict[str, str]) -> Iterator[Container]:
    """Run a container of an image, its log in the volume of the same name; nothing is left of it but that volume."""
    container = Container(engine, image)
    told = [word for name, value in settings.items() for word in ("--env", f"{name}={value}")]
    try:
        engine.call(
            "run", "--detach", "--name", image, *HARDENED, "--memory", "512m", "--volume", f"{image}:{STATE}",
            "--env", "VIGIE_ACCESS__INSECURE=true", *told, "--publish", f"127.0.0.1:{container.port}:8000", image,
        )  # fmt: skip
        yield container
    except BaseException:
        click.echo(engine.call("logs", image, check=False), err=True)
        raise
    finally:
        engine.call("rm", "--force", image, check=False)


if __name__ == "__main__":
    main()
