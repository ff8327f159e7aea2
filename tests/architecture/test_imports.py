"""Using one half of Vigie does not load the other."""

import subprocess
import sys

import pytest

import vigie


def modules_after(code: str) -> set[str]:
    """Return the modules loaded by a fresh interpreter that runs ``code``."""
    printed = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return set(printed.stdout.split())


def test_the_server_imports_neither_mlflow_nor_the_training_stack() -> None:
    """The serving process stays free of what only training needs."""
    loaded = modules_after("import vigie.wiring.serve")
    assert not {"mlflow", "vigie.training", "vigie.loop.train", "sqlalchemy"} & loaded
    assert not {"sklearn", "scipy", "pandas", "numpy", "pyarrow"} & loaded


@pytest.mark.parametrize("heavy", ["mlflow", "sklearn", "scipy", "pandas", "fastapi", "pyarrow"])
def test_importing_vigie_loads_nothing_heavy(heavy: str) -> None:
    """``import vigie`` costs a user's script nothing that it does not use."""
    assert heavy not in modules_after("import vigie")


def test_help_loads_no_command() -> None:
    """``vigie --help`` prints a table and imports no command."""
    loaded = modules_after("from vigie.cli.main import cli\ncli(['--help'], standalone_mode=False)")
    assert not {"numpy", "rich", "vigie.settings", "vigie.cli.train"} & loaded


def test_the_public_names_exist_and_are_few() -> None:
    """``__all__`` holds at most fifteen names, sorted, and each can be imported."""
    assert len(vigie.__all__) <= 15
    assert sorted(vigie.__all__) == list(vigie.__all__)
    for name in vigie.__all__:
        assert getattr(vigie, name) is not None


def test_dir_shows_the_public_names() -> None:
    """Completion in a notebook offers what ``__all__`` promises."""
    assert set(vigie.__all__) <= set(dir(vigie))


def test_looking_loads_mlflow_only_when_something_needs_it() -> None:
    """``vigie monitor`` asks the embedded store and the server's cache first: importing MLflow costs seconds."""
    loaded = modules_after("import vigie.wiring.operate, vigie.cli.monitor, vigie.cli.report, vigie.loop.monitor")
    assert not {"mlflow", "alembic"} & loaded


@pytest.mark.parametrize("booster", ["lightgbm", "xgboost", "catboost"])
def test_boosters_are_imported_when_they_are_asked_for(booster: str) -> None:
    """Training and compiling know them by name only."""
    assert booster not in modules_after("import vigie.loop.train, vigie.wiring.operate, vigie.cli.train")
