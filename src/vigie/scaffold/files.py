"""The files of a new project: where each goes and what it is for."""

from dataclasses import dataclass
from typing import Final

PURPOSES: Final[dict[str, str]] = {
    "README.md": "What this project is, and its commands.",
    "vigie.toml": "What the loop does: table, target, candidates, and everything that differs from Vigie's defaults.",
    "data/train.csv": "The table that is learnt from.",
    "data/.gitkeep": "The table that is learnt from goes here, as `data/train.csv`.",
    "data/later.csv": "Later customers with what became of them: the traffic of `make demo-once`.",
    "notebooks/explore.ipynb": "A look at the data and at the champion, from Python.",
    "scripts/demo.py": "One turn of the whole loop on this project's own table, in a folder of its own.",
    "scripts/compare.py": "The leaderboard of the last training as Markdown; fails when the winner was refused.",
    "scripts/smoke.py": "Asks a running server whether it is ready and answers; the standard library is enough.",
    "tests/conftest.py": "What the tests share: one model, trained on the project's table in a folder of its own.",
    "tests/test_preprocessing.py": "Scaler and model are one: nothing is fitted when answers are given.",
    "tests/test_model.py": "The model beats the one that looks at no feature, and its answers make sense.",
    "tests/test_api.py": "The real server, asked over HTTP.",
    "tests/test_notebook.py": "The notebook runs from top to bottom.",
    "Makefile": "Every job of the project; CI calls the same lines. `make help` lists them.",
    "requirements.txt": "What runs the model.",
    "requirements-dev.txt": "What tests need beyond that.",
    "pyproject.toml": "How the linter and the tests behave.",
    "requirements-serve.lock": "What the server's image installs, with hashes; it came with this version of Vigie.",
    "wheels/.gitkeep": "Wheels that no index has, such as an unreleased Vigie: `make setup` and the image look here.",
    "Dockerfile": "The server's image: the champion of `make champion` baked in, no root, a health check.",
    ".dockerignore": "What enters the image, and nothing else: no state, secrets or data.",
    "compose.yaml": "Server, Prometheus and Grafana on one machine, reached from it alone.",
    "monitoring/prometheus.yml": "What Prometheus scrapes, and where its rules are.",
    "monitoring/metrics.key": "The key that Prometheus shows, once there are access keys; never committed.",
    "monitoring/rules/recording.yml": "Numbers that alerts and panels share.",
    "monitoring/rules/technical.yml": "Alerts: is the service well?",
    "monitoring/rules/data.yml": "Alerts: does the data look like the training data?",
    "monitoring/rules/business.yml": "Alerts: is the model still right?",
    "monitoring/runbooks.md": "What to do when one of them fires.",
    "monitoring/grafana/dashboards/technical.json": "Dashboard: the service.",
    "monitoring/grafana/dashboards/data.json": "Dashboard: the data.",
    "monitoring/grafana/dashboards/business.json": "Dashboard: the model.",
    "monitoring/grafana/provisioning/datasources/prometheus.yml": "Where Grafana finds Prometheus.",
    "monitoring/grafana/provisioning/dashboards/vigie.yml": "Where Grafana finds the dashboards.",
    ".github/workflows/ml-pipeline.yml": "Lint, test, train, compare; on main also build, smoke-test, push the image.",
    ".github/workflows/retrain.yml": "On a schedule or by hand: monitor, retrain, gate, promote.",
    ".gitlab-ci.yml": "The same two pipelines for GitLab.",
    ".gitignore": "What is no source: state, secrets, reports.",
    ".env": "Secrets and owner on this machine, made by `vigie init` for make and compose; never committed.",
    "local.mk": "Which Python has Vigie on this machine; never committed.",
    "models/.gitkeep": "The champion's bundle, brought by `make champion`; the folder is kept, its content is not.",
    "logs/.gitkeep": "What `make serve` logs; the folder is kept, its content is not.",
}
"""Every file of a project with the line that says what it is for, in the order the README lists them."""

SHARED: Final[dict[str, str]] = {
    "requirements-serve.lock": "requirements-serve.lock",
    **{
        path: path.removeprefix("monitoring/").removeprefix("grafana/")
        for path in PURPOSES
        if path.startswith(("monitoring/rules/", "monitoring/grafana/"))
    },
}
"""Files that are this repository's own, the same in every project: by path, where they are in ``shared``."""

PRIVATE: Final = frozenset({".env"})
"""Files that nobody but their owner may read."""

LOCAL: Final = frozenset({".env", "local.mk", "monitoring/metrics.key"})
"""Files that git ignores."""


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """One file of a new project."""

    path: str
    purpose: str
    content: str

    @property
    def private(self) -> bool:
        """Whether only its owner may read it."""
        return self.path in PRIVATE
