"""Run the commands of a page in a new project, and write down what they print.

A page is a program. A fenced block with ``title="NAME"`` is a file of the project; a ``console`` block holds commands
after ``$`` and what they print; a line ``…`` stands for lines left out; ``<!-- project: FOLDER -->`` copies a folder of
this repository to start from. A command that ends in ``&`` is a server: the next one waits until it is ready.

    python docs/transcript.py README.md docs/tutorial.md

writes the pages anew; the tests run them and compare, with what changes from run to run left out.
"""  # noqa: INP001  a script beside the pages it serves

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parents[1]
PORT = "8000"
"""The port that pages show; each run takes a free one in its place."""

BLOCK = re.compile(r'^```(?P<kind>\w+)(?: title="(?P<title>[^"]+)")?\n(?P<body>.*?)^```$', re.MULTILINE | re.DOTALL)
PROJECT = re.compile(r"<!-- project: (?P<folder>\S+) -->")
LEFT_OUT = "…"

_VARYING = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "ID"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d([.,]\d+)?Z?"), "TIME"),
    (re.compile(r"(?<![\w.])-?\d[\d,]*(\.\d+)?(e[+-]?\d+)?"), "N"),
    (re.compile(r"\s+"), " "),
)
# A line for whoever waits; a page shows what is there at the end.
_WAITING = re.compile(r"^\S+ is done: \d+ of \d+ fits after \d+ s\n", re.MULTILINE)
_READY_S = 60.0
_STILL_S = 0.5
_CURL = """\
#!{python}
# Enough of curl for the pages, on a machine that has none.
import pathlib, sys, urllib.error, urllib.request
arguments, url, headers, data, target = iter(sys.argv[1:]), "", {{}}, None, None
for argument in arguments:
    if argument == "-H":
        name, _, value = next(arguments).partition(":")
        headers[name] = value.strip()
    elif argument == "-d":
        data = next(arguments)
        data = (pathlib.Path(data[1:]).read_text() if data[:1] == "@" else data).encode()
    elif argument == "-o":
        target = next(arguments)
    elif argument != "-s":
        url = argument if "://" in argument else "http://" + argument
try:
    body = urllib.request.urlopen(urllib.request.Request(url, data, headers)).read()
except urllib.error.HTTPError as error:
    body = error.read()
pathlib.Path(target).write_bytes(body) if target else sys.stdout.buffer.write(body)
"""


@dataclass(frozen=True)
class Step:
    """One command of a page with what the page says it prints, and where that stands."""

    command: str
    printed: str
    span: tuple[int, int]

    def matches(self, found: str) -> bool:
        """Return whether the output is the page's, but for what changes from run to run."""
        parts = re.split(rf"^{LEFT_OUT}$", self.printed, flags=re.MULTILINE)
        pattern = ".*".join(re.escape(plain(part)) for part in parts)
        return re.fullmatch(pattern, plain(found)) is not None


def plain(text: str) -> str:
    """Return text without ids, times, numbers, and the widths that follow from them."""
    for pattern, word in _VARYING:
        text = pattern.sub(word, text)
    return text.strip()


def stand_in_for_curl() -> str:
    """Return a script that does what the pages ask of curl, for machines that have none."""
    return _CURL.format(python=sys.executable)


def steps(page: str) -> list[Step]:
    """Return the commands of a page's console blocks, in order."""
    found = []
    for block in BLOCK.finditer(page):
        if block["kind"] != "console":
            continue
        # A command goes on for as long as its lines end in a backslash; its output, until the next command.
        for match in re.finditer(r"^\$ ((?:.*\\\n)*.*\n)((?:(?!\$ ).*\n)*)", block["body"], re.MULTILINE):
            start = block.start("body") + match.start(2)
            found.append(Step(match[1].strip(), match[2], (start, start + len(match[2]))))
    return found


def files(page: str) -> dict[str, str]:
    """Return the files that a page shows, by name."""
    return {block["title"]: block["body"] for block in BLOCK.finditer(page) if block["title"]}


class Session:
    """A new project in a temporary folder, with ``vigie``, ``python`` and ``curl`` at hand.

    Args:
        page: the text of the page.
    """

    def __init__(self, page: str) -> None:
        self._home = tempfile.TemporaryDirectory(prefix="vigie-docs-")
        self.folder = Path(self._home.name, "project")
        self._bin = Path(self._home.name, "bin")
        self._servers: list[subprocess.Popen[bytes]] = []
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self._port = str(listener.getsockname()[1])
        project = PROJECT.search(page)
        if project:
            shutil.copytree(
                ROOT / project["folder"], self.folder, ignore=shutil.ignore_patterns(".vigie", "__pycache__")
            )
        self.folder.mkdir(exist_ok=True)
        for name, content in files(page).items():
            (self.folder / name).write_text(content, encoding="utf-8")
        self._put_commands()

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """End every server that a page started."""
        for server in self._servers:
            server.terminate()
        for server in self._servers:
            server.wait(30)
        self._home.cleanup()

    def run(self, command: str) -> str:
        """Run a command line as a page shows it and return what it prints, on both streams, but for its progress."""
        line = command.replace(f"localhost:{PORT}", f"localhost:{self._port}")
        printed = self._start(line.removesuffix("&").strip()) if line.endswith("&") else self._wait_for(line)
        return _WAITING.sub("", printed).replace(self._port, PORT).strip("\n")

    def _wait_for(self, line: str) -> str:
        done = subprocess.run(  # noqa: S603  the page's own commands
            ["bash", "-c", line],  # noqa: S607  found on the PATH
            cwd=self.folder, env=self._environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False, timeout=240,
        )  # fmt: skip
        return done.stdout

    def _start(self, line: str) -> str:
        output = Path(self._home.name, f"server-{len(self._servers)}.log")
        with output.open("wb") as stream:
            self._servers.append(
                subprocess.Popen(  # noqa: S603  the page's own commands
                    shlex.split(line), cwd=self.folder, env=self._environment(), stdout=stream, stderr=stream
                )
            )
        deadline = time.monotonic() + _READY_S
        while not self._is_ready():
            if time.monotonic() > deadline or self._servers[-1].poll() is not None:
                raise RuntimeError(f"{line} did not become ready:\n{output.read_text()}")
            time.sleep(0.1)
        said = -1
        while said != (said := output.stat().st_size):  # its last word is said just after it is ready
            time.sleep(_STILL_S)
        return output.read_text(encoding="utf-8")

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/readyz", timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            return False

    def _environment(self) -> dict[str, str]:
        path = f"{self._bin}{os.pathsep}{os.environ['PATH']}"
        source = os.pathsep.join(filter(None, [str(ROOT / "src"), os.environ.get("PYTHONPATH")]))
        return {**os.environ, "PATH": path, "PYTHONPATH": source, "VIGIE_SERVING__PORT": self._port,
                "OMP_NUM_THREADS": "1"}  # fmt: skip

    def _put_commands(self) -> None:
        self._bin.mkdir()
        commands = {"vigie": '-m vigie "$@"', "python": '"$@"'}
        scripts = {name: f'#!/bin/sh\nexec "{sys.executable}" {rest}\n' for name, rest in commands.items()}
        if not shutil.which("curl"):
            scripts["curl"] = stand_in_for_curl()
        for name, script in scripts.items():
            (self._bin / name).write_text(script, encoding="utf-8")
            (self._bin / name).chmod(0o755)


def renew(path: Path) -> None:
    """Run a page and write what its commands print; outputs with lines left out stay if they still match."""
    page = path.read_text(encoding="utf-8")
    replaced = []
    with Session(page) as session:
        for step in steps(page):
            found = session.run(step.command)
            if LEFT_OUT in step.printed.splitlines():
                if not step.matches(found):
                    sys.stderr.write(f"{path}: mend by hand what follows $ {step.command}\n{found}\n")
                continue
            replaced.append((step.span, "".join(f"{line.rstrip()}\n" for line in found.splitlines())))
    for (start, end), text in reversed(replaced):
        page = page[:start] + text + page[end:]
    path.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        renew(Path(name))
