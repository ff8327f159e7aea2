"""Linters that know GitHub, GitLab, compose and Docker find nothing in the generated project.

They stand in an environment of their own, locked with hashes, made once for this file: about 20 CPU seconds.
Each has a control, a project with one fault of its kind, that it must find.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.scaffold, pytest.mark.timeout(900)]

WORKFLOWS = ".github/workflows/*.yml"
SCHEMAS = {
    WORKFLOWS: "vendor.github-workflows",
    ".gitlab-ci.yml": "vendor.gitlab-ci",
    "compose.yaml": "vendor.compose-spec",
}


@pytest.fixture(scope="module")
def lint(tmp_path_factory):
    """Return what runs a linter and returns its exit code with what it said."""
    home = tmp_path_factory.mktemp("linters")
    subprocess.run([sys.executable, "-m", "venv", home], check=True)
    lock = Path(__file__).with_name("linters.lock")
    # fmt: off
    subprocess.run(
        [home / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes",
         "-r", lock], check=True,
    )
    # fmt: on

    def lint(name, *arguments, folder):
        line = [home / "bin" / name, *map(str, arguments)]
        done = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    return lint


def linted(lint, name, folder):
    """Run one linter on all that concerns it."""
    workflows = sorted(path.relative_to(folder) for path in folder.glob(WORKFLOWS))
    assert len(workflows) == 2
    yaml = ["compose.yaml", ".gitlab-ci.yml", "monitoring", *workflows]
    arguments = {
        "zizmor": ["--offline", "--no-progress", *workflows],
        "hadolint": ["Dockerfile"],
        "yamllint": ["--strict", "-d", "{extends: relaxed, rules: {line-length: {max: 180}}}", *yaml],
    }
    return lint(name, *arguments[name], folder=folder)


@pytest.mark.parametrize(("files", "schema"), SCHEMAS.items())
def test_files_follow_their_schemas(lint, demo, files, schema):
    """check-jsonschema: every key and value is one that the service knows."""
    found = sorted(demo.glob(files))
    code, told = lint("check-jsonschema", "--builtin-schema", schema, *found, folder=demo)
    assert code == 0, told


@pytest.mark.parametrize("name", ["zizmor", "hadolint", "yamllint"])
def test_linters_find_nothing(lint, demo, name):
    """No unpinned action, no injection, no credential left behind; no Dockerfile or YAML that trips."""
    code, told = linted(lint, name, demo)
    assert code == 0, told


@pytest.mark.parametrize(
    ("name", "file", "fault"),
    [
        ("zizmor", ".github/workflows/ml-pipeline.yml", ("  pull_request:", "  pull_request_target:")),
        ("zizmor", ".github/workflows/ml-pipeline.yml", ("run: make lint", "run: echo ${{ github.head_ref }}")),
        ("hadolint", "Dockerfile", ("--no-cache-dir ", "")),
        ("yamllint", "compose.yaml", ("  grafana:\n    image", "  prometheus:\n    image")),
        (".gitlab-ci.yml", ".gitlab-ci.yml", ("  script:", "  skript:")),
        (WORKFLOWS, ".github/workflows/ml-pipeline.yml", ("branches: [main]", "branch: [main]")),
        ("compose.yaml", "compose.yaml", ("cap_drop:", "cap_dorp:")),
    ],
)
def test_a_fault_is_found(lint, demo, tmp_path, name, file, fault):
    """The control: with one fault of its kind, each linter fails."""
    folder = shutil.copytree(demo, tmp_path / "demo")
    text = (folder / file).read_text()
    assert fault[0] in text
    (folder / file).write_text(text.replace(*fault))
    if schema := SCHEMAS.get(name):
        code, told = lint("check-jsonschema", "--builtin-schema", schema, file, folder=folder)
    else:
        code, told = linted(lint, name, folder)
    assert code != 0, told
