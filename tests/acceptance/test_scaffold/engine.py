"""Stands in for a container engine, in a folder of its own that ``ENGINE`` names.

``build`` copies what the Dockerfile copies, ``run`` starts the Dockerfile's command on the copy with the Dockerfile's
environment in this Python, ``rm`` ends it, ``push`` notes the name, ``login`` looks at what it is told.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

HOME = Path(os.environ["ENGINE"])


def build(_flag, tag, context):
    """Copy what an image would hold."""
    image, source = place_of(tag), Path(context)
    lines = (source / "Dockerfile").read_text().splitlines()
    for line in lines:
        if line.startswith("COPY "):
            *names, target = [word for word in line.split()[1:] if not word.startswith("--")]
            for name in names:
                copy(source / name, image / (f"root{target}" if target.startswith("/") else target))
    told = dict(word.split("=") for line in lines if line.startswith("ENV ") for word in line.split()[1:])
    (image / "ENV").write_text(json.dumps({**told, "VIGIE_STORES__ROOT": str(image / "state")}))
    (image / "CMD").write_text(next(line[4:] for line in lines if line.startswith("CMD [")))


def run(*arguments):
    """Start the image's command; its port is the published one."""
    name, image = arguments[arguments.index("--name") + 1], place_of(arguments[-1])
    port = arguments[arguments.index("-p") + 1].split(":")[1]
    told = dict(arguments[place + 1].split("=", 1) for place, word in enumerate(arguments) if word == "-e")
    environ = {**os.environ, **json.loads((image / "ENV").read_text()), **told}
    line = [sys.executable, "-m", *json.loads((image / "CMD").read_text()), "--port", port]
    with (HOME / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(line, cwd=image, env=environ, stdout=log, stderr=log, start_new_session=True)
    (HOME / name).write_text(str(process.pid))


def rm(*arguments):
    """End a container."""
    os.kill(int((HOME / arguments[-1]).read_text()), signal.SIGTERM)


def push(tag):
    """Note what was pushed."""
    with (HOME / "pushed").open("a") as pushed:
        pushed.write(f"{tag}\n")


def login(*_):
    """Take a token, and only that one."""
    if sys.stdin.read().strip() != "a-token":
        sys.exit("a wrong token")


def place_of(tag):
    """Return an image's folder."""
    return HOME / "images" / tag.replace("/", "_")


def copy(source, target):
    """Copy a file or a folder's content into a folder."""
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


if __name__ == "__main__":
    {verb.__name__: verb for verb in (build, run, rm, push, login)}[sys.argv[1]](*sys.argv[2:])
