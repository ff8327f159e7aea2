"""``vigie init`` in a fresh folder: the project's own jobs pass, and so does every step of its workflows.

The container engine is a stand-in, see ``conftest.py``. About 150 CPU seconds; behind the marker ``scaffold``.
"""

import re
from pathlib import Path

import pytest
import yaml

pytestmark = [pytest.mark.scaffold, pytest.mark.timeout(3600)]


def test_the_demo_turns_the_loop(demo, run):
    """It trains, alerts, retrains and promotes, and leaves nothing behind but the schema of the table."""
    before = {path.name for path in demo.iterdir()}
    told = " ".join(run("make demo-once", demo).split())
    assert "Promoted version 2, after version 1." in told
    assert {path.name for path in demo.iterdir()} - before == {"schema.toml"}


def test_its_tests_pass(demo, run):
    """The notebook's among them; what they train stays out of the project."""
    assert re.search(r"20 passed", run("make test", demo))
    assert not {".vigie", "mlruns"} & {path.name for path in demo.iterdir()}


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
    for step, _ in steps(clone / ".github" / "workflows" / "ml-pipeline.yml"):
        printed = run(step, clone, **told)
        if "smoke" in step:
            assert "demo version 1 answers" in printed
    assert (Path(environ["ENGINE"]) / "pushed").read_text() == "ghcr.io/me/demo:abc\n"


def test_every_step_of_the_retraining_runs(clone, run, tools):
    """After the pipeline's training: without traffic a scheduled turn is calm; asked for anyway, it is told.

    In an environment that the workflow makes by itself, with Vigie from its wheel.
    """
    told = {"VIGIE_SERVING__PORT": str(tools.port()), "PYTHONPATH": ""}
    *scheduled, (anyway, environment) = steps(clone / ".github" / "workflows" / "retrain.yml")
    for step, own in scheduled:
        run(step, clone, **own, **told)
    with pytest.raises(AssertionError, match="needs at least 500 rows"):
        run(anyway, clone, **environment, **told)


def steps(workflow):
    """Return every ``run`` of a workflow in order, each with what its job's environment says outright."""
    jobs = yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"].values()
    return [
        (step["run"], {name: value for name, value in job.get("env", {}).items() if "${{" not in value})
        for job in jobs
        for step in job["steps"]
        if "run" in step
    ]
