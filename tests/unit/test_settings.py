"""Settings come from the file and the environment, and every mistake is named."""

from datetime import timedelta
from pathlib import Path

import pytest

from vigie.domain.task import Task
from vigie.errors import ConfigurationError
from vigie.settings import duration_text, load_settings, parse_duration

MINIMAL = """
[project]
name = "churn"
[data]
source = "churn.csv"
target = "churn"
"""


def project(folder: Path, extra: str = "", text: str = MINIMAL) -> Path:
    """Write a vigie.toml and return its folder."""
    (folder / "vigie.toml").write_text(text + extra, encoding="utf-8")
    return folder


def test_what_is_left_out_has_a_default(tmp_path: Path) -> None:
    """A file with a name, a source and a target is enough."""
    settings = load_settings(project(tmp_path), {})
    assert (settings.training.folds, settings.training.repeats) == (None, 1)
    assert settings.monitoring.every == timedelta(hours=1)
    assert settings.root == tmp_path / ".vigie"
    assert settings.value is None


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    """``VIGIE_SECTION__KEY`` overrides, and text becomes what the setting is."""
    environ = {
        "VIGIE_SERVING__PORT": "9000",
        "VIGIE_TRAINING__CANDIDATES": "ridge, lasso",
        "VIGIE_STORES__DURABLE": "false",
        "VIGIE_PROJECT__TASK": "binary",
        "VIGIE_MONITORING__EVERY": "5m",
        "UNRELATED": "x",
    }
    settings = load_settings(project(tmp_path, "[serving]\nport = 8001\n"), environ)
    assert settings.serving.port == 9000
    assert settings.training.candidates == ("ridge", "lasso")
    assert settings.stores.durable is False
    assert settings.project.task is Task.BINARY
    assert settings.monitoring.every == timedelta(minutes=5)


def test_candidates_are_names_and_tables(tmp_path: Path) -> None:
    """A table carries parameters and a grid; a budget is a length of time."""
    text = """[training]
budget = "10m"
candidates = [
  "ridge",
  { name = "random_forest", n_estimators = 100, grid = { max_depth = [3, 5] } },
]
"""
    training = load_settings(project(tmp_path, text), {}).training
    forest = {"name": "random_forest", "n_estimators": 100, "grid": {"max_depth": [3, 5]}}
    assert training.candidates == ("ridge", forest)
    assert training.budget == timedelta(minutes=10)
    assert load_settings(project(tmp_path, text), {"VIGIE_TRAINING__BUDGET": ""}).training.budget is None


def test_mlflows_own_variable_names_the_store(tmp_path: Path) -> None:
    """``MLFLOW_TRACKING_URI`` is honoured unless Vigie's own setting says otherwise."""
    environ = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:5000"}
    assert load_settings(project(tmp_path), environ).stores.tracking_uri == "http://127.0.0.1:5000"
    written = project(tmp_path, '[stores]\ntracking_uri = "sqlite:///own.db"\n')
    assert load_settings(written, environ).stores.tracking_uri == "sqlite:///own.db"


@pytest.mark.parametrize(
    ("extra", "environ", "words"),
    [
        ("[serving]\nprot = 1\n", {}, ("vigie.toml", "serving.prot", "Did you mean 'port'")),
        ("[servin]\nport = 1\n", {}, ("[servin]", "Did you mean 'serving'")),
        ("[serving]\nport = 99999\n", {}, ("vigie.toml", "serving.port", "99999")),
        ("[serving]\nport = 'x'\n", {}, ("serving.port", "int")),
        ("[monitoring]\nevery = 'soon'\n", {}, ("monitoring.every", "30s, 5m, 6h")),
        ("[monitoring]\nevery = 5\n", {}, ("monitoring.every", "30s, 5m, 6h")),
        (
            "[monitoring]\nbaseline = 'season'\nseason = '1h'\nevery = '6h'\n",
            {},
            ("vigie.toml", "monitoring.season", "1h", "6h", "such as 1d"),
        ),
        (
            "[monitoring]\nbaseline = 'season'\n",
            {"VIGIE_MONITORING__SEASON": "90s"},
            ("VIGIE_MONITORING__SEASON", "90s"),
        ),
        ("", {"VIGIE_SERVING__PROT": "1"}, ("environment", "VIGIE_SERVING__PROT", "VIGIE_SERVING__PORT")),
        ("", {"VIGIE_SERVING__PORT": "many"}, ("VIGIE_SERVING__PORT", "serving.port")),
        ("", {"VIGIE_DATA__SPLIT": "magic"}, ("VIGIE_DATA__SPLIT", "data.split", "magic")),
        ("[training]\ncandidates = [3]\n", {}, ("vigie.toml", "training.candidates")),
        ("[training]\nbudget = 'soon'\n", {}, ("training.budget", "30s, 5m, 6h")),
        ("[monitoring]\nservice = 'not a url'\n", {}, ("vigie.toml", "monitoring.service", "http://")),
        ("[monitoring]\nservice = 'file:///etc/passwd'\n", {}, ("monitoring.service", "file:///etc/passwd")),
        ("[monitoring]\nservice = 'http://'\n", {}, ("monitoring.service", "a host")),
        ("[monitoring]\nservice = 'http://x:many'\n", {}, ("monitoring.service",)),
        ("", {"VIGIE_MONITORING__SERVICE": "x:80"}, ("VIGIE_MONITORING__SERVICE", "monitoring.service")),
        ("[data]\n", {}, ("not TOML",)),
        ("[x]\n", {}, ("[x]", "Sections: project")),
    ],
)
def test_every_mistake_is_named(tmp_path: Path, extra: str, environ: dict[str, str], words: tuple[str, ...]) -> None:
    """The error holds the file or variable, the key, and the nearest valid name."""
    with pytest.raises(ConfigurationError) as caught:
        load_settings(project(tmp_path, extra), environ)
    for word in words:
        assert word in str(caught.value)


def test_a_missing_setting_is_named_with_what_it_means(tmp_path: Path) -> None:
    """Leaving out the target says which key and what to write there."""
    text = "[project]\nname = 'x'\n[data]\nsource = 'x.csv'\n"
    with pytest.raises(ConfigurationError, match=r"data\.target.*Column to predict"):
        load_settings(project(tmp_path, text=text), {})


def test_a_folder_without_a_project_says_so(tmp_path: Path) -> None:
    """The error names the folder and the way out."""
    with pytest.raises(ConfigurationError, match=r"no vigie\.toml"):
        load_settings(tmp_path, {})


@pytest.mark.parametrize(("text", "seconds"), [("500ms", 0.5), ("30s", 30), ("1.5h", 5400), ("7d", 604800)])
def test_durations_are_read(text: str, seconds: float) -> None:
    """Numbers with a unit are lengths of time."""
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["500ms", "30s", "90m", "36h", "7d", "0.1ms"])
def test_a_length_is_written_as_it_is_read(text: str) -> None:
    """In the longest unit that it is a whole number of."""
    assert duration_text(parse_duration(text)) == text


def test_a_season_as_long_as_a_window_will_do(tmp_path: Path) -> None:
    """A week is compared with the week before; and a baseline of another kind asks for no season."""
    weekly = "[monitoring]\nbaseline = 'season'\nevery = '7d'\n"
    assert load_settings(project(tmp_path, weekly), {}).monitoring.season == timedelta(days=7)
    other = "[monitoring]\nbaseline = 'accepted'\nseason = '1h'\nevery = '6h'\n"
    assert load_settings(project(tmp_path, other), {}).monitoring.baseline == "accepted"


@pytest.mark.parametrize(
    "text", ["", "5", "h", "-1h", "0s", "0h", "0.0000001s", "1y", "one h", "nans", "5000000d", "1e999d", "36526d"]
)
def test_other_words_are_not_durations(text: str, tmp_path: Path) -> None:
    """A length needs a positive number, up to a century, and a known unit; every refusal says so with examples."""
    said = f"{text!r} .*not a length of time above 0 and at most 36525d, such as 30s, 5m, 6h or 7d"
    with pytest.raises(ValueError, match=f"^{said.replace('.*', 'is ')}$"):
        parse_duration(text)
    with pytest.raises(ConfigurationError, match=f"The value {said}"):
        load_settings(project(tmp_path, extra=f'\n[monitoring]\nevery = "{text}"\n'), {})


@pytest.mark.parametrize("name", ["q?x", "pct%20x", "quo'te"])
def test_a_folder_that_an_address_cannot_hold_is_refused(tmp_path, name):
    """MLflow would open a file of another name, which another project may share."""
    folder = tmp_path / name
    folder.mkdir()
    settings = load_settings(project(folder), {})
    with pytest.raises(ConfigurationError, match=r"stores\.root: the path .* holds "):
        _ = settings.tracking_uri
