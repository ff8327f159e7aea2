"""What a training leaves in the project's folder, and what it does where it may not."""

import logging
import os

import pyarrow.parquet as pq
import pytest

from vigie.loop.context import Loop
from vigie.settings import load_settings
from vigie.testing import FakeClock, InMemoryLedger, InMemoryPredictionLog, InMemoryRegistry, InMemoryTracker
from vigie.testing.tables import churn_table
from vigie.wiring.operate import rules_of, train_project, training_table

TOML = """
[project]
name = "churn"
[data]
source = "churn.parquet"
target = "churn"
positive = "oui"
entity = "client_id"
[training]
candidates = ["logistic"]
folds = 2
"""


@pytest.fixture
def trained(tmp_path):
    """Return what trains the project of a temporary folder."""
    (tmp_path / "vigie.toml").write_text(TOML)
    pq.write_table(churn_table(400, seed=1), tmp_path / "churn.parquet")
    settings, clock = load_settings(tmp_path, {}), FakeClock()
    stores = (InMemoryRegistry(clock), InMemoryTracker(), InMemoryPredictionLog(), InMemoryLedger(clock))
    loop = Loop("churn", *stores, {}, clock, rules_of(settings))
    table = training_table(settings)
    return lambda: train_project(loop, settings, table, progress=lambda _name, _done, _total: None)


def test_a_training_writes_the_schema_for_a_person_to_edit(trained, tmp_path, caplog):
    """Beside vigie.toml, and nothing is said of it."""
    trained()
    assert '[features."satisfaction"]' in (tmp_path / "schema.toml").read_text()
    assert caplog.messages == []


def test_a_folder_that_cannot_be_written_costs_no_training(trained, tmp_path, caplog):
    """It warns, names the file, and goes on."""
    (tmp_path / f".schema.toml.{os.getpid()}").mkdir()  # in the way also of root, whom no permission stops
    with caplog.at_level(logging.WARNING):
        assert trained().leaderboard.winner.name == "logistic"
    assert not (tmp_path / "schema.toml").exists()
    (message,) = caplog.messages
    assert message.startswith(f"{tmp_path / 'schema.toml'}: it cannot be written: ")
    assert message.endswith("The training goes on: the bundle has the schema, too.")
