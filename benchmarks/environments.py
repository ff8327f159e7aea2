"""Environments for peers: built on first use from a lock file with hashes, never from a list of names.

``envs/NAME/requirements.in`` says what is wanted, ``requirements.txt`` which files exactly (``make lock``),
and ``.venv`` beside them is the environment. It is built again when the lock has changed.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENTS = Path(__file__).parent / "envs"

_STAMP = "lock.sha256"
_LONGEST_S = 1_800
_VERSIONS = "import importlib.metadata as m, json; print(json.dumps({d.name: d.version for d in m.distributions()}))"


class EnvironmentFailedError(Exception):
    """An environment that cannot be had, and why."""


@dataclass(frozen=True, slots=True)
class Environment:
    """A folder with a ``requirements.txt``, and the environment made from it."""

    folder: Path

    @property
    def python(self) -> Path:
        """Its interpreter, which may not be there yet."""
        return self.folder / ".venv" / "bin" / "python"

    @property
    def is_ready(self) -> bool:
        """Whether it was built from the lock as it is now."""
        stamp = self.folder / ".venv" / _STAMP
        return self.python.exists() and stamp.is_file() and stamp.read_text() == self._digest()

    def build(self, say: Callable[[str], None]) -> None:
        """Build it unless it is ready.

        Raises:
            EnvironmentFailedError: something in the lock cannot be installed here.
        """
        if self.is_ready:
            return
        say(f"building the environment {self.folder.name} (once, some minutes)")
        shutil.rmtree(self.folder / ".venv", ignore_errors=True)
        for command in self._commands():
            done = _run(command)
            if done.returncode != 0:
                raise EnvironmentFailedError(f"it cannot be installed here: {done.stderr.strip()[-500:]}")
        (self.folder / ".venv" / _STAMP).write_text(self._digest())

    def _digest(self) -> str:
        return hashlib.sha256((self.folder / "requirements.txt").read_bytes()).hexdigest()

    def _commands(self) -> list[list[str]]:
        # --no-deps: the lock is whole, and what it leaves out on purpose (GPU libraries) must stay out.
        locked = ["--no-deps", "--require-hashes", "-r", str(self.folder / "requirements.txt")]
        folder, uv = str(self.folder / ".venv"), _uv()
        pip = [
            sys.executable,
            "-m",
            "pip",
            "--disable-pip-version-check",
        ]  # ours: half a minute less than one of its own
        if uv:
            return [
                [uv, "venv", "--quiet", "--python", sys.executable, folder],
                [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(self.python), *locked],
            ]
        return [
            [sys.executable, "-m", "venv", "--without-pip", folder],
            [*pip, "--python", str(self.python), "install", "--quiet", *locked],
        ]


def environment(name: str) -> Environment:
    """Return the environment called ``name``.

    Raises:
        ValueError: there is no lock for it.
    """
    folder = ENVIRONMENTS / name
    if not (folder / "requirements.txt").is_file():
        raise ValueError(f"benchmarks/envs/{name} holds no requirements.txt")
    return Environment(folder)


def versions(python: str | Path) -> dict[str, str]:
    """Return the packages that an interpreter finds, and their versions."""
    found: dict[str, str] = json.loads(_run([str(python), "-c", _VERSIONS]).stdout)
    return dict(sorted(found.items()))


def _uv() -> str | None:
    beside = Path(sys.executable).with_name("uv")
    return shutil.which("uv") or (str(beside) if beside.exists() else None)


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=_LONGEST_S)
    except (OSError, subprocess.TimeoutExpired) as exc:
        return subprocess.CompletedProcess(command, 1, "", str(exc))
