"""``vigie init`` in a fresh folder: the project's own jobs pass, and so does every step of its workflows.

The container engine of the image steps is a stand-in that is told so here: ``docker build`` copies what the Dockerfile
copies, ``docker run`` starts the Dockerfile's command on the copy in this environment, ``docker push`` notes the name.
About 150 CPU seconds; behind the marker ``scaffold``.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

pytestmark = [pytest.mark.scaffold, pytest.mark.timeout(1800)]

ENGINE = '''\
#!{python}
"""Stands in for a container engine, see test_init.py."""
import json, os, pathlib, re, shutil, signal, subprocess, sys
home = pathlib.Path({home!r})
verb, rest = sys.argv[1], sys.argv[2:]
if verb == "build":
    image, context = home / "images" / rest[1].replace("/", "_"), pathlib.Path(rest[2])
    lines = (context / "Dockerfile").read_text().splitlines()
    for line in lines:
        if line.startswith("COPY "):
            *sources, target = [word for word in line.split()[1:] if not word.startswith("--")]
            for source in sources:
                place = image / target
                if (context / source).is_dir():
                    shutil.copytree(context / source, place, dirs_exist_ok=True)
                else:
                    place.mkdir(parents=True, exist_ok=True)
                    shutil.copy(context / source, place)
    (image / "CMD").write_text(next(line[4:] for line in lines if line.startswith("CMD [")))
elif verb == "run":
    name, port, image = rest[rest.index("--name") + 1], rest[rest.index("-p") + 1].split(":")[1], rest[-1]
    folder = home / "images" / image.replace("/", "_")
    told = dict(rest[place + 1].split("=", 1) for place, word in enumerate(rest) if word == "-e")
    line = [sys.executable, "-m", *json.loads((folder / "CMD").read_text()), "--port", port]
    with (home / (name + ".log")).open("wb") as log:
        told = {{**os.environ, **told}}
        process = subprocess.Popen(line, cwd=folder, env=told, stdout=log, stderr=log, start_new_session=True)
    (home / name).write_text(str(process.pid))
elif verb == "rm":
    os.kill(int((home / rest[-1]).read_text()), signal.SIGTERM)
elif verb == "push":
    with (home / "pushed").open("a") as pushed:
        pushed.write(rest[0] + "\\n")
elif verb == "login":
    assert sys.stdin.read().strip() == "a-token"
'''


@pytest.fixture(scope="module")
def environ(tmp_path_factory):
    """Return an environment without settings of other projects, with the stand-in for the engine in front."""
    home = tmp_path_factory.mktemp("engine")
    (home / "bin").mkdir()
    engine = home / "bin" / "docker"
    engine.write_text(ENGINE.format(python=sys.executable, home=str(home)))
    engine.chmod(0o755)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("VIGIE_", "MLFLOW_", "PYTEST"))}
    path = os.pathsep.join([str(engine.parent), str(Path(sys.executable).parent), clean["PATH"]])
    return {**clean, "PATH": path, "OMP_NUM_THREADS": "1", "ENGINE": str(home)}


@pytest.fixture(scope="module")
def run(environ):
    """Return what runs a line of shell and returns what it printed."""

    def run(line, folder, **more):
        done = subprocess.run(
            ["/bin/bash", "-euo", "pipefail", "-c", line], cwd=folder, env={**environ, **more}, capture_output=True,
            text=True, check=False, timeout=900, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, f"{line}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    return run


@pytest.fixture(scope="module")
def demo(tmp_path_factory, run):
    """Return a fresh project."""
    folder = tmp_path_factory.mktemp("fresh folder é")
    run(f'"{sys.executable}" -m vigie init demo --example churn', folder)
    return folder / "demo"


@pytest.fixture(scope="module")
def clone(demo, run, tmp_path_factory):
    """Return a clone of the project: what git ignores is not there."""
    identity = "-c user.name=x -c user.email=x@example.com"
    run(f"git init -q -b main && git add -A && git {identity} commit -q -m Begin", demo)
    folder = tmp_path_factory.mktemp("clone")
    run(f'git clone -q "{demo}" demo', folder)
    return folder / "demo"


def test_the_demo_turns_the_loop(demo, run):
    """It trains, alerts, retrains and promotes, and leaves no state behind."""
    told = " ".join(run("make demo-once", demo).split())
    assert "Promoted version 2, after version 1." in told
    assert not (demo / ".vigie").exists()


def test_its_tests_pass(demo, run):
    """The notebook's among them."""
    assert re.search(r"20 passed", run("make test", demo))


def test_nothing_private_is_committed(clone):
    """Neither secrets nor this machine's paths."""
    assert not (clone / ".env").exists()
    assert not (clone / "local.mk").exists()


def test_every_step_of_the_pipeline_runs(clone, run, environ, tools):
    """In the order of the workflow, in a fresh clone."""
    told = {
        "GITHUB_ACTOR": "me",
        "REGISTRY_TOKEN": "a-token",
        "IMAGE": "ghcr.io/me/demo",
        "TAG": "abc",
        "PORT": str(tools.port()),
    }
    for step in steps(clone / ".github" / "workflows" / "ml-pipeline.yml"):
        printed = run(step, clone, **told)
        if "smoke" in step:
            assert "demo version 1 answers" in printed
    assert (Path(environ["ENGINE"]) / "pushed").read_text() == "ghcr.io/me/demo:abc\n"


def test_every_step_of_the_retraining_runs(clone, run, tools):
    """After the pipeline's training: without traffic a scheduled turn is calm; asked for anyway, it is told."""
    port = {"VIGIE_SERVING__PORT": str(tools.port())}
    *scheduled, anyway = steps(clone / ".github" / "workflows" / "retrain.yml")
    for step in scheduled:
        run(step, clone, **port)
    with pytest.raises(AssertionError, match="needs at least 500 rows"):
        run(anyway, clone, **port)


def steps(workflow):
    """Return every ``run`` of a workflow, in order."""
    jobs = yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"].values()
    return [step["run"] for job in jobs for step in job["steps"] if "run" in step]
