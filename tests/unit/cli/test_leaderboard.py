"""The leaderboard as JSON: valid, complete, and the same figures as the table's."""

import json

import numpy as np
import pyarrow as pa
import pytest

from vigie.cli.leaderboard import leaderboard_json, print_leaderboard
from vigie.domain.model import TrackedRuns
from vigie.loop.train import Trained
from vigie.testing.tables import churn_table
from vigie.training.dataset import DataSpec, build_dataset
from vigie.training.search import TrainingSpec, train_candidates
from vigie.training.split import split


def trained(table, spec, candidates, metric):
    """Return a training as ``loop.train`` does, without stores."""
    data = build_dataset(table, spec, None)
    parts = split(data, spec)
    how = TrainingSpec(candidates, metric, 3, spec.seed, None)
    clock = iter(range(1_000))
    board = train_candidates(data, parts, how, progress=lambda *_: None, seconds=lambda: float(next(clock)))
    runs = TrackedRuns("parent", {entry.name: f"run of {entry.name}" for entry in board.entries})
    return Trained(data, parts, board, runs, {})


@pytest.fixture(scope="module")
def churn():
    """Return a training of which one candidate is searched, one fails, and one column tells the answer."""
    table = churn_table(400, seed=1)
    left = np.array(table.column("churn").to_pylist()) == "oui"
    table = table.append_column("refunded", pa.array(left + np.random.default_rng(0).normal(0, 0.05, 400)))
    spec = DataSpec("churn", None, "oui", "client_id", None, (), 0.25, 3, "auto")
    candidates = (
        {"name": "logistic", "grid": {"C": [0.1, 1.0]}},
        {"name": "gradient_boosting", "n_estimators": 5},
        {"name": "random_forest", "max_depth": -1},
    )
    return trained(table, spec, candidates, "roc_auc")


@pytest.fixture(scope="module")
def told(churn):
    """Return what a program reads."""
    return json.loads(json.dumps(leaderboard_json(churn), allow_nan=False))


def test_every_candidate_says_how_it_came_about(told):
    """Folds, parameters, choice, seconds: by name."""
    found = {entry["model"]: entry for entry in told["leaderboard"]}
    logistic = found["logistic"]
    assert logistic["search"] == {"points": 2, "tried": 2}
    assert logistic["chosen"]["C"] in {0.1, 1.0}
    assert logistic["run_id"] == "run of logistic"
    folds = logistic["cv_folds"]["roc_auc"]
    assert len(folds["values"]) == 3
    assert folds["mean"] == pytest.approx(np.mean(folds["values"])) == pytest.approx(logistic["cv"]["value"])
    assert folds["sd"] == pytest.approx(np.std(folds["values"]))
    assert set(logistic["cv_folds"]) == set(logistic["test"])
    assert logistic["seconds"] > 0
    assert (found["gradient_boosting"]["search"], found["gradient_boosting"]["coefficients"]) == (None, None)


def test_a_line_for_the_positive_class(told, churn):
    """Its output is named, its columns are the features, and its zeros are counted."""
    (line,) = next(entry for entry in told["leaderboard"] if entry["model"] == "logistic")["coefficients"]
    assert line["output"] == "oui"
    assert list(line["values"]) == list(churn.dataset.schema.names)
    assert (line["n_zero"], line["sparsity"]) == (0, 0.0)


def test_the_first_held_out_rows_are_shown(told, churn):
    """Their place in the table, what was true, what was said, and how sure."""
    for entry in told["leaderboard"]:
        assert [row["row"] for row in entry["first_test_rows"]] == churn.split.test[:3].tolist()
        for row in entry["first_test_rows"]:
            assert row["true"] in {"oui", "non"}
            assert sum(row["probabilities"]) == pytest.approx(1)
            likeliest = churn.dataset.schema.target.classes[int(np.argmax(row["probabilities"]))]
            assert row["predicted"] == likeliest


def test_failures_choice_and_warnings_are_told(told):
    """Nothing that the table says is missing."""
    assert "max_depth" in told["failures"]["random_forest"]
    assert told["choice"]["kept"] == told["winner"]
    assert told["choice"]["reason"].startswith(f"kept {told['winner']}:")
    assert any(sentence.startswith("'refunded' alone predicts 'churn'") for sentence in told["warnings"])


def test_the_table_says_the_same(churn, told, capsys):
    """The reason, the warning and the failure stand in the terminal too."""
    print_leaderboard(churn)
    shown = " ".join(capsys.readouterr().out.split())
    assert told["choice"]["reason"] in shown
    assert "Note: 'refunded' alone predicts 'churn'" in shown
    assert "random_forest is left out" in shown
