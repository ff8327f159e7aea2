"""A container engine, whichever there is, and a base image, from wherever it can be had.

On a machine without systemd, without a registry or without both (a CI container, say), Podman is told to use plain
files, and a stand-in for the official base is put together from Debian's packages and this machine's own Python. That
stand-in tells nothing of the official image's patch level; everything else is built and run for real.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

BASE = "docker.io/library/python:3.11-slim"
SCRATCH = Path(os.environ.get("VIGIE_IMAGE_SCRATCH", Path.home() / ".cache" / "vigie" / "images"))
PULL_S = 120
BUILD_S = 1_800


class CannotBuildError(Exception):
    """Why no image can be built here, and what would help."""


@dataclass(frozen=True)
class Base:
    """The image that ours are built on."""

    name: str
    size_mb: float
    arguments: tuple[str, ...] = ()


@dataclass
class Engine:
    """Docker or Podman, by its command line.

    Args:
        program: ``docker`` or ``podman``.
        environ: what its commands need beyond this process's environment.
    """

    program: str
    environ: Mapping[str, str] = field(default_factory=dict)

    def call(self, *arguments: str, check: bool = True, timeout: float = 120) -> str:
        """Run one command and return what it prints.

        Raises:
            CannotBuildError: it failed, with its last words.
        """
        command = [self.program, *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=timeout, check=False, env=os.environ | dict(self.environ)
        )
        if check and done.returncode:
            raise CannotBuildError(f"`{' '.join(command[:3])} …` ended with {done.returncode}: {done.stderr[-1500:]}")
        return done.stdout.strip()

    def build(self, context: Path, file: str, tag: str, *arguments: str) -> None:
        """Build an image from an unmodified Dockerfile."""
        own = self._podman_arguments() if self.program == "podman" else []
        self.call(
            "build", *own, "--network", "host", "--file", str(context / file), "--tag", tag, *arguments, str(context),
            timeout=BUILD_S,
        )  # fmt: skip

    def _podman_arguments(self) -> list[str]:
        # Mounted while building only, so that no layer holds them: the certificates of whoever inspects the traffic.
        arguments = ["--pull=never", "--format", "docker"]
        if certificates := os.environ.get("PIP_CERT"):
            SCRATCH.mkdir(parents=True, exist_ok=True)
            told = SCRATCH / "pip.conf"
            told.write_text(f"[global]\ncert = {certificates}\ntimeout = 180\n", encoding="utf-8")
            folder = Path(certificates).parent
            arguments += ["--volume", f"{folder}:{folder}:ro", "--volume", f"{told}:/etc/pip.conf:ro"]
        return arguments

    def size_mb(self, image: str) -> float:
        """Return the size of an image, all layers, in MB."""
        return int(self.call("image", "inspect", "--format", "{{.Size}}", image)) / 1e6

    def exit_code(self, container: str) -> int:
        """Return the exit code of a container that ended."""
        return int(self.call("inspect", "--format", "{{.State.ExitCode}}", container))

    def is_healthy(self, container: str) -> bool:
        """Whether the image's own HEALTHCHECK passes now."""
        if self.program == "podman":
            self.call("healthcheck", "run", container)
            return True
        test = self.call("inspect", "--format", '{{join .Config.Healthcheck.Test " "}}', container).split()[1:]
        self.call("exec", container, *test)
        return True

    def provide_base(self) -> Base:
        """Return the base image: one that is here, the published one, or a stand-in.

        Raises:
            CannotBuildError: none can be had.
        """
        if not self.has(BASE):
            try:
                self.call("pull", BASE, timeout=PULL_S)
            except (CannotBuildError, subprocess.TimeoutExpired) as error:
                if self.program != "podman" or shutil.which("mmdebstrap") is None:
                    raise CannotBuildError(
                        f"{BASE} cannot be pulled ({str(error)[-300:]}). Load it, or install podman, runc and "
                        "mmdebstrap to put a stand-in together."
                    ) from error
                here = Path(__file__).parent
                environ = os.environ | dict(self.environ) | {"PYTHON_PREFIX": sys.base_prefix}
                subprocess.run(["sh", here / "standin.sh", BASE, SCRATCH], check=True, env=environ, timeout=BUILD_S)  # noqa: S607
        return Base(BASE.rsplit("/", 1)[1], self.size_mb(BASE))

    def has(self, image: str) -> bool:
        """Whether an image is on this machine."""
        return bool(self.call("images", "--quiet", image, check=False))


def find_engine() -> Engine:
    """Return Docker where its daemon answers, else Podman.

    Raises:
        CannotBuildError: there is neither.
    """
    if _works(["docker", "info"], {}):
        return Engine("docker")
    if shutil.which("podman") is None:
        raise CannotBuildError("no Docker daemon answers, and there is no podman. Install either.")
    environ = {} if Path("/run/systemd/system").exists() else _plain_podman()
    if not _works(["podman", "info"], environ):
        raise CannotBuildError("no Docker daemon answers, and `podman info` fails; it says why.")
    return Engine("podman", environ)


def _works(command: Sequence[str], environ: Mapping[str, str]) -> bool:
    if shutil.which(command[0]) is None:
        return False
    done = subprocess.run(command, capture_output=True, check=False, timeout=60, env=os.environ | dict(environ))
    return done.returncode == 0


def _plain_podman() -> dict[str, str]:
    """Return the environment of a Podman that needs no systemd, no journal and few limits, with a store of its own."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    storage, containers = SCRATCH / "storage.conf", SCRATCH / "containers.conf"
    storage.write_text(
        f'[storage]\ndriver = "overlay"\ngraphroot = "{SCRATCH}/storage"\nrunroot = "{SCRATCH}/run"\n', encoding="utf-8"
    )
    containers.write_text(
        '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\nruntime = "runc"\n'
        '[containers]\nlog_driver = "k8s-file"\ndefault_ulimits = ["nofile=20000:20000", "nproc=30000:30000"]\n',
        encoding="utf-8",
    )
    return {"CONTAINERS_STORAGE_CONF": str(storage), "CONTAINERS_CONF": str(containers)}
