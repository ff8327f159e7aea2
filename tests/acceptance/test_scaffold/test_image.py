"""The generated image is built by a real engine and run as the generated compose file runs it.

Minutes where the base has to be put together first; skips, and says why, where no engine works.
"""

import importlib.util
import os
import sys
from pathlib import Path

import pytest
import yaml

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1900)]

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def engine():
    """Return a container engine that has the base image."""
    spec = importlib.util.spec_from_file_location("vigie_deploy_engine", ROOT / "deploy" / "engine.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    try:
        found = module.find_engine()
        found.provide_base()
    except module.CannotBuildError as error:
        pytest.skip(f"no image can be built here: {error}")
    return found


def test_the_image_serves_the_champion(engine, clone, run, tools):
    """Read-only, without root's powers, on the project's own log; it answers, is healthy, and stops cleanly."""
    run("make train champion", clone)
    name, port = f"vigie-try-{os.getpid()}", tools.port()
    engine.build(clone, "Dockerfile", name)
    service = yaml.safe_load((clone / "compose.yaml").read_text())["services"]["api"]
    volumes = [word for volume in service["volumes"] for word in ("--volume", f"{clone}/{volume.removeprefix('./')}")]
    # fmt: off
    hardened = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges:true"]  # noqa: S108  the container's own
    told = ["--user", f"{os.getuid()}:{os.getgid()}", "--env", "VIGIE_ACCESS__INSECURE=true"]
    try:
        engine.call(
            "run", "--detach", "--name", name, *hardened, *volumes, *told, "--publish", f"127.0.0.1:{port}:8000", name,
        )
        # fmt: on
        assert "demo version 1 answers" in run(f"python scripts/smoke.py http://127.0.0.1:{port}", clone)
        assert engine.is_healthy(name)
        inside = "import importlib.util as u; print([n for n in ('mlflow', 'sklearn', 'numpy') if u.find_spec(n)])"
        assert engine.call("exec", name, "python", "-c", inside) == "[]"
        engine.call("stop", "--time", "20", name)
        assert engine.exit_code(name) == 0
    finally:
        engine.call("rm", "--force", name, check=False)
        engine.call("rmi", "--force", name, check=False)
    assert "1 prediction in the log" in run("vigie doctor", clone)
