"""A new project is whole: every file has its purpose, parses, and holds nothing that is not its own."""

import ast
import json
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

from vigie.scaffold.files import LOCAL, PRIVATE, PURPOSES, SHARED
from vigie.scaffold.notebook import notebook
from vigie.scaffold.project import _TEMPLATES, Blanks, project_files
from vigie.scaffold.twins import RUNBOOKS

ROOT = Path(__file__).parents[3]

SECRETS = {"GRAFANA_ADMIN_PASSWORD": "pass-1234", "WEBHOOK_SECRET": "whsec_abcd"}
BLANKS = Blanks(name="shop", version="9.8.7", python="/opt/python", secrets=SECRETS)
PLACE = "data/.gitkeep"
TABLES = {"data/train.csv": "a,churn\n1,oui\n", "data/later.csv": "a,churn\n2,non\n"}


def made(example):
    """Return a project's files by path."""
    return {file.path: file for file in project_files(BLANKS, example=example, tables=TABLES if example else {})}


CHURN = made("churn")
OWN = made(None)
BOTH = pytest.mark.parametrize("files", [CHURN, OWN], ids=["churn", "own"])


def runs(workflow):
    """Return the ``run`` lines of a workflow."""
    jobs = yaml.safe_load(CHURN[workflow].content)["jobs"].values()
    return [line for job in jobs for step in job["steps"] for line in step.get("run", "").splitlines()]


def test_an_example_has_every_file():
    """In the order of the list."""
    assert list(CHURN) == [path for path in PURPOSES if path != PLACE]


def test_a_project_of_ones_own_waits_for_its_table():
    """It has all but the data."""
    assert set(PURPOSES) - set(OWN) == set(TABLES)
    assert PLACE in OWN


@BOTH
def test_each_file_says_what_it_is_for(files):
    """On its first line where its format has comments; the README lists all."""
    for path, file in files.items():
        if path.endswith((".csv", ".ipynb", ".md", ".gitkeep", ".json", ".key")):
            assert f"| `{path}` | {PURPOSES[path]} |" in files["README.md"].content
        else:
            assert PURPOSES[path] in file.content.splitlines()[0]


@BOTH
def test_every_blank_is_filled(files):
    """Nothing like @name@ is left."""
    for file in files.values():
        assert not re.search(r"@[a-z]+@", file.content), file.path


@BOTH
def test_every_file_parses(files):
    """TOML, YAML, JSON and Python are what they say."""
    parsers = {
        "toml": tomllib.loads,
        "yml": yaml.safe_load,
        "yaml": yaml.safe_load,
        "ipynb": json.loads,
        "json": json.loads,
        "py": ast.parse,
    }
    parsed = [parsers[path.rsplit(".", 1)[-1]](file.content) for path, file in files.items()
              if path.rsplit(".", 1)[-1] in parsers]  # fmt: skip
    assert len(parsed) == 25


@BOTH
def test_secrets_are_in_one_private_file(files):
    """And git ignores it."""
    holding = {path for path, file in files.items() if any(value in file.content for value in SECRETS.values())}
    assert holding == PRIVATE == {path for path, file in files.items() if file.private}
    assert set(files[".gitignore"].content.splitlines()) >= LOCAL


@BOTH
def test_what_git_ignores_names_this_machine_alone(files):
    """The path of its Python is in no file that is committed."""
    assert {path for path, file in files.items() if BLANKS.python in file.content} == {"local.mk"}


def test_no_template_is_left_over():
    """Each is the source of some file."""
    sources = {path.replace("/.", "/dot-") if "/." in path else re.sub(r"^\.", "dot-", path) for path in PURPOSES}
    found = {
        str(path.relative_to(_TEMPLATES)).partition("/")[2].removesuffix(".in") for path in _TEMPLATES.rglob("*.in")
    }
    assert found == sources - set(TABLES) - set(SHARED) - {RUNBOOKS}


@BOTH
@pytest.mark.parametrize("level", ["recording", "technical", "data", "business"])
def test_rules_are_the_deployment_s(files, level):
    """What alerts, and when, is told in one place; only the runbooks are elsewhere."""
    own = yaml.safe_load((ROOT / "deploy" / "prometheus" / "rules" / f"{level}.yml").read_text())
    found = yaml.safe_load(files[f"monitoring/rules/{level}.yml"].content)
    pages = [rule["annotations"].pop("runbook_url") for rule in alerts(found)]
    assert len(pages) == len([rule["annotations"].pop("runbook_url") for rule in alerts(own)])
    assert found == own


def test_every_alert_has_its_runbook():
    """The address leads to a heading of the project's own page."""
    headings = set(re.findall(r"^## (\w+)$", CHURN[RUNBOOKS].content, re.MULTILINE))
    for path, file in CHURN.items():
        if path.startswith("monitoring/rules/"):
            for rule in alerts(yaml.safe_load(file.content)):
                assert rule["alert"] in headings
                assert rule["annotations"]["runbook_url"] == f"{RUNBOOKS}#{rule['alert'].lower()}"


def test_runbooks_link_within_their_page():
    """Pages of the documentation are not there, so nothing links to them."""
    links = re.findall(r"\]\(([^)]+)\)", CHURN[RUNBOOKS].content)
    headings = {heading.lower() for heading in re.findall(r"^## (\w+)$", CHURN[RUNBOOKS].content, re.MULTILINE)}
    assert links
    assert {link.removeprefix("#") for link in links} <= headings


def test_the_image_installs_the_server_s_lock():
    """With every hash of this repository's own."""
    lock = (ROOT / "requirements-serve.lock").read_text()
    assert CHURN["requirements-serve.lock"].content == f"# {PURPOSES['requirements-serve.lock']}\n{lock}"


def test_prometheus_asks_the_job_that_the_rules_are_about():
    """And compose mounts what Grafana is told to read."""
    jobs = [job["job_name"] for job in yaml.safe_load(CHURN["monitoring/prometheus.yml"].content)["scrape_configs"]]
    assert jobs == ["vigie"]
    assert 'job="vigie"' in CHURN["monitoring/rules/technical.yml"].content
    provider = yaml.safe_load(CHURN["monitoring/grafana/provisioning/dashboards/vigie.yml"].content)["providers"][0]
    mounts = yaml.safe_load(CHURN["compose.yaml"].content)["services"]["grafana"]["volumes"]
    assert f"./monitoring/grafana/dashboards:{provider['options']['path']}:ro" in mounts


@pytest.mark.parametrize("service", ["prometheus", "grafana"])
def test_images_are_those_that_the_deployment_was_tried_with(service):
    """One version, whether it is this repository's compose file or a project's."""
    own = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())["services"][service]["image"]
    found = yaml.safe_load(CHURN["compose.yaml"].content)["services"][service]["image"]
    assert f"docker.io/{found}" == own


def alerts(rules):
    """Return the alerting rules of a file."""
    return [rule for group in rules["groups"] for rule in group["rules"] if "alert" in rule]


@pytest.mark.parametrize("workflow", [".github/workflows/ml-pipeline.yml", ".github/workflows/retrain.yml"])
def test_workflows_call_jobs_that_exist(workflow):
    """Each step is a job of the Makefile, so that a laptop does what CI does."""
    targets = set(re.findall(r"^([a-z-]+):", CHURN["Makefile"].content, re.MULTILINE))
    called = [line.split()[1] for line in runs(workflow) if line.startswith("make ")]
    assert called
    assert set(called) <= targets


@pytest.mark.parametrize("workflow", [".github/workflows/ml-pipeline.yml", ".github/workflows/retrain.yml"])
def test_actions_are_pinned(workflow):
    """To a commit, with the release beside it."""
    used = re.findall(r"uses: (.*)", CHURN[workflow].content)
    assert used
    assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line) for line in used)


def test_published_ports_are_on_loopback():
    """Nothing of compose is reached from another machine."""
    services = yaml.safe_load(CHURN["compose.yaml"].content)["services"].values()
    ports = [port for service in services for port in service["ports"]]
    assert len(ports) == 3
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_a_page_becomes_cells():
    """Code between fences, text between code; twice the same bytes."""
    page = "# Title\n\n```python\nx = 1\nx\n```\n\nText.\n"
    found = json.loads(notebook(page))
    assert [(cell["cell_type"], "".join(cell["source"])) for cell in found["cells"]] == [
        ("markdown", "# Title"),
        ("code", "x = 1\nx"),
        ("markdown", "Text."),
    ]
    assert notebook(page) == notebook(page)


def test_archives_hold_what_is_shared(tmp_path):
    """Links of a checkout are files in the source archive, and in the wheel that is built from it."""
    build = [sys.executable, "-m", "hatchling", "build", "-d", str(tmp_path)]
    subprocess.run([*build, "-t", "sdist"], cwd=ROOT, check=True, capture_output=True)
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as archive:
        archive.extractall(tmp_path, filter="data")
    subprocess.run([*build, "-t", "wheel"], cwd=next(tmp_path.glob("*/")), check=True, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        held = {name.partition("vigie/scaffold/shared/")[2] for name in wheel.namelist()}
    assert held >= set(SHARED.values())
    assert sum(name.startswith("runbooks/vigie-") for name in held) == CHURN[RUNBOOKS].content.count("\n## ")
