"""Every command on the pages, and who runs it: a transcript, the tests of ``make scaffold``, or nobody, and why."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])

TRANSCRIPTS = {
    "README.md": "tests/docs/test_transcript.py",
    "docs/tutorial.md": "tests/docs/test_transcript.py",
    "docs/examples/breast_cancer.md": "tests/acceptance/test_scaffold/test_pages.py",
    "docs/examples/churn.md": "tests/acceptance/test_scaffold/test_pages.py",
    "docs/examples/diabetes.md": "tests/acceptance/test_scaffold/test_pages.py",
    "docs/examples/flights.md": "tests/acceptance/test_scaffold/test_pages.py",
}
"""Pages whose ``console`` blocks are run and compared with what they print."""

CLEAN_MACHINE = "Production in five minutes"
"""The heading of README whose ``sh`` blocks are run on a clean machine."""

LIVED = (
    "docs/how-to/retrain-and-roll-back.md",
    "docs/how-to/register-a-model.md",
    "docs/how-to/sign-bundles.md",
    "docs/how-to/serve.md",
    "docs/how-to/run-in-containers.md",
    "docs/how-to/hear-of-alarms.md",
    "docs/how-to/look-at-a-window.md",
    "docs/how-to/bring-your-data.md",
    "docs/how-to/run-in-cron-or-ci.md",
    "docs/how-to/use-a-model-in-python.md",
    "docs/how-to/export-and-erase.md",
    "docs/how-to/secure-the-server.md",
)
"""Pages whose commands are run one after the other in a project that has a server and a past."""

NOT_RUN = {
    ("CONTRIBUTING.md", "make "): "they are how the tests are run: .ci/run, and whoever reads this",
    ("CONTRIBUTING.md", ".venv/bin/python docs/"): "they write the pages that tests/docs compares",
    ("README.md", "make demo"): "tests/acceptance/test_demo.py runs the demo that it starts",
    ("README.md", "make test"): "it runs this",
    ("README.md", "make up watch"): "published images of Prometheus and Grafana; compose is checked by its schema",
    ("docs/benchmarks.md", "python -m benchmarks"): "tests/integration/test_benchmarks.py runs each of them, quickly",
    ("docs/how-to/release.md", "cosign "): "a registry to push to",
    ("docs/how-to/run-in-containers.md", "docker build -f deploy/Dockerfile"): "deploy/image.py does, `make image`",
    ("docs/how-to/run-in-containers.md", "docker build -f path/to"): "deploy/image.py does, `make image`",
    ("docs/how-to/run-in-containers.md", "docker run"): "deploy/image.py does, `make image`",
    ("docs/how-to/run-in-containers.md", "docker compose"): "deploy/compose_trial.py does, `make compose-test`",
    ("docs/how-to/run-in-containers.md", "python deploy/dashboards.py"): "deploy/stack.py asks it, `make stack-test`",
    ("docs/how-to/run-in-containers.md", "cp deploy/env.example"): "goes with compose",
    ("docs/how-to/secure-the-server.md", "curl https://models.example"): "a host of the reader's",
    ("docs/how-to/serve.md", "pip install"): "the extra is part of this environment, or of none",
    ("docs/how-to/serve.md", "OTEL_EXPORTER"): "tests/integration/test_http/test_tracing.py sends traces",
    ("docs/how-to/serve.md", "vigie serve"): "it does not end; tests/acceptance/test_serving.py",
    ("docs/how-to/serve.md", "vigie up"): "it does not end; tests/acceptance/test_operating.py",
    ("docs/how-to/start-a-project.md", "pip wheel"): "README's section runs it",
    ("docs/how-to/use-mlflow.md", "mlflow ui"): "it does not end, and it is MLflow's",
    ("docs/how-to/use-mlflow.md", "export MLFLOW_TRACKING_URI=http"): "a host of the reader's",
    ("docs/how-to/use-mlflow.md", "vigie train"): "tests/integration/test_mlflow_server.py, with a server of its own",
    (
        "docs/how-to/use-mlflow.md",
        "mlflow models serve",
    ): "tests/integration/test_mlflow_model.py loads it as that does",
    ("docs/how-to/use-mlflow.md", "curl -s localhost:5001"): "asks the line above",
    ("docs/how-to/use-mlflow.md", "export MLFLOW_TRACKING_URI=sqlite"): "goes with the lines below",
    ("docs/how-to/use-mlflow.md", "mlflow run"): "it makes an environment; tests/integration/test_mlflow_model.py",
    ("docs/tutorial.md", "cp -r examples/churn"): "the transcript copies the folder itself",
    ("examples/breast_cancer/README.md", "vigie train"): "docs/examples/breast_cancer.md has it too, and is run",
    ("examples/churn/README.md", ""): "docs/tutorial.md has them too, and is run",
    ("examples/diabetes/README.md", "vigie train"): "docs/examples/diabetes.md has it too, and is run",
    ("examples/flights/README.md", ""): "docs/examples/flights.md has it too, and is run where the extra is installed",
}
"""Commands that no test runs, by page and beginning, with the reason; a test finds entries that fit nothing."""

_BLOCK = re.compile(r"^```(?P<kind>sh|bash|console|text)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"\s{2,}#[^\n]*")
_PROGRAM = re.compile(r"(vigie|mlflow|curl|export|cosign|pip|docker|make|python3?) ")


class Command(NamedTuple):
    """A command as a page has it, without its comment; ``prompted`` where the page shows what it prints."""

    page: str
    section: str
    line: str
    prompted: bool


def commands(path):
    """Return every command of a page, in order."""
    text = path.read_text(encoding="utf-8")
    found = []
    for block in _BLOCK.finditer(text):
        section = (re.findall(r"^#+ (.+)$", text[: block.start()], re.MULTILINE) or [""])[-1]
        prompted = "\n$ " in f"\n{block['body']}"
        for line in re.split(r"(?<!\\)\n", block["body"]):
            if prompted and not line.startswith("$ "):
                continue
            if block["kind"] == "text" and not prompted and not _PROGRAM.match(line):
                continue
            if bare := _COMMENT.sub("", line.removeprefix("$ ")).strip():
                found.append(Command(str(path.relative_to(ROOT)), section, bare, prompted))
    return found


def reason(command):
    """Return why nobody runs a command, None where somebody does."""
    for (page, start), why in NOT_RUN.items():
        if command.page == page and command.line.startswith(start):
            return why
    return None


def runner(command):
    """Return who runs a command, None where nobody does."""
    if command.section == CLEAN_MACHINE or command.page in LIVED:
        return "tests/acceptance/test_scaffold/test_pages.py"
    return TRANSCRIPTS.get(command.page) if command.prompted else None
