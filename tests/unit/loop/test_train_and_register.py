"""From a table to a registered version: what is recorded, and when it becomes champion."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from vigie.bundle.manifest import Member
from vigie.bundle.trust import Trust
from vigie.domain.event import EventKind
from vigie.errors import BundleError, NoChampionError, UntrustedContentError
from vigie.loop.champion import champion_version, open_version
from vigie.loop.promote import Move, promote
from vigie.loop.register import publish
from vigie.testing.tables import churn_table


def test_training_records_a_parent_and_one_run_a_candidate(new_world):
    """The runs name the seed, the data and the commit; the ledger names the parent run."""
    world = new_world()
    trained = world.train(churn_table(300, seed=1))
    parent = world.tracker.runs[trained.runs.parent_id].record
    assert (parent.params["seed"], parent.params["winner"]) == ("3", "logistic")
    assert parent.tags["vigie.data_digest"] == trained.dataset.digest
    assert parent.tags["mlflow.source.git.commit"] == "abc123"
    children = [run.record.name for run in world.tracker.runs.values() if run.parent_id == trained.runs.parent_id]
    assert sorted(children) == ["dummy", "logistic"]
    event = world.last(EventKind.TRAINED)
    assert event.evidence["run_id"] == trained.runs.parent_id
    assert event.evidence["git_commit"] == "abc123"


def test_a_tracked_metric_is_the_leaderboards(new_world):
    """What MLflow shows is what the table shows."""
    world = new_world()
    trained = world.train(churn_table(300, seed=1))
    record = world.tracker.runs[trained.runs.child_ids["logistic"]].record
    kept, winner = record.metrics, trained.leaderboard.winner
    held_out = winner.measured("roc_auc")
    assert kept["test_roc_auc"] == held_out.value
    assert (kept["test_roc_auc_low"], kept["test_roc_auc_high"]) == (held_out.interval.low, held_out.interval.high)
    assert kept["cv_roc_auc_mean"] == winner.cv.value
    assert (kept["cv_roc_auc_mean_low"], kept["cv_roc_auc_mean_high"]) == (
        winner.cv.interval.low,
        winner.cv.interval.high,
    )
    assert kept["cv_f1_mean"] == pytest.approx(np.mean(winner.folds["f1"]))
    assert kept["cv_f1_sd"] == pytest.approx(np.std(winner.folds["f1"]))
    assert record.series["folds/f1"] == winner.folds["f1"]
    assert (kept["n_zero_coefficients"], kept["sparsity"], kept["fit_seconds"]) == (0.0, 0.0, 0.0)


def test_every_run_names_the_rows_it_used(new_world):
    """The parts learnt from and judged on, with the digest and the columns, and not the rows themselves."""
    world = new_world()
    trained = world.train(churn_table(300, seed=1))
    for run in world.tracker.runs.values():
        learnt, judged = run.record.rows
        assert (learnt.role, judged.role) == ("training", "test")
        assert (learnt.n_rows, judged.n_rows) == (len(trained.split.train), len(trained.split.test))
        assert learnt.digest == judged.digest == trained.dataset.digest
        assert list(learnt.columns) == [*trained.dataset.schema.names, "churn"]
        assert (learnt.columns["nb_produits"], learnt.columns["churn"]) == ("integer", "category")


def test_the_card_is_kept_with_the_training(new_world):
    """As a file, and as the note that the tracker shows."""
    world = new_world()
    trained = world.train(churn_table(300, seed=1))
    card = trained.members["card.md"]
    assert world.tracker.files == {trained.runs.parent_id: {"card.md": card}}
    assert world.tracker.notes == {trained.runs.parent_id: card.decode()}


def test_the_first_version_that_beats_the_dummy_becomes_champion(world):
    """Trained, registered, promoted: three lines, and the alias."""
    assert world.champion == "1"
    assert world.kinds == ["registered", "promoted"]
    event = world.last(EventKind.PROMOTED)
    assert event.evidence["previous"] is None
    assert event.evidence["interval"]["low"] > 0
    assert event.reasons[0].startswith("Better than the dummy")


def test_a_first_model_that_does_not_beat_the_dummy_is_refused(new_world):
    """Coin tosses leave no version, no champion, and a reason."""
    rng = np.random.default_rng(0)
    table = pa.table({"a": rng.normal(size=200), "client_id": [f"c{i}" for i in range(200)],
                      "churn": rng.choice(["oui", "non"], 200).tolist()})  # fmt: skip
    world = new_world()
    registered = world.register(world.train(table))
    assert registered.version is None
    assert (registered.champion, world.champion) == (None, None)
    assert world.registry.versions("churn") == []
    assert world.kinds == ["trained", "refused"]
    assert "the dummy" in world.last(EventKind.REFUSED).reasons[0]
    with pytest.raises(NoChampionError, match=r"trained last was refused\. .* the dummy") as caught:
        champion_version(world.loop)
    assert caught.value.refused == world.last(EventKind.REFUSED).reasons[0]
    with pytest.raises(NoChampionError):
        world.turn()


def test_a_version_that_waits_is_named_where_none_serves(new_world, churn_trained):
    """With how to put it in place."""
    world = new_world()
    publish(world.loop, churn_trained)
    with pytest.raises(NoChampionError, match=r"registered: 1\. Name one with `vigie promote 1`"):
        champion_version(world.loop)


def test_a_later_version_waits(world, churn_trained):
    """Registering never moves the champion that is there."""
    registered = world.register(churn_trained)
    assert registered.version.version == "2"
    assert (registered.champion, world.champion) == ("1", "1")
    assert world.kinds == ["registered", "promoted", "registered"]


def test_what_was_packed_opens(world, churn_trained):
    """The registered bundle holds the schema, the profile and the metrics of the training."""
    opened = open_version(world.loop, "1")
    assert opened.schema == churn_trained.dataset.schema
    assert opened.bundle.manifest.data_digest == churn_trained.dataset.digest
    assert {item["name"] for item in opened.bundle.manifest.metrics} >= {"roc_auc", "log_loss"}


def test_a_bundle_spoilt_in_the_registry_does_not_open(world, churn_trained):
    """One byte is enough."""
    members = dict(churn_trained.members)
    members["golden.json"] = members["golden.json"] + b" "
    world.registry.publish("churn", members, run_id="r", tags={})
    with pytest.raises(BundleError, match=r"golden\.json"):
        open_version(world.loop, "2")


def test_a_version_that_answers_otherwise_is_not_promoted(world, churn_trained):
    """Whoever can seal a bundle again can change its scorer; its golden rows tell, before any server follows."""
    members = dict(churn_trained.members)
    scorer = json.loads(members["scorer.json"])
    scorer["b"] = [value + 1.0 for value in scorer["b"]]
    members["scorer.json"] = json.dumps(scorer, separators=(",", ":")).encode()
    manifest = json.loads(members["manifest.json"])
    manifest["members"]["scorer.json"] = {
        "sha256": Member.of(members["scorer.json"]).sha256,
        "size": len(members["scorer.json"]),
    }
    world.registry.publish("churn", members | {"manifest.json": json.dumps(manifest).encode()}, run_id="r", tags={})
    with pytest.raises(BundleError, match="Golden row 0 is answered differently"):
        promote(world.loop, Move("2", expected="1"), owner="test")
    assert world.champion == "1"


def test_the_reference_profile_holds_every_row_once(churn_trained, world):
    """Out-of-fold rows and held-out rows: each predicted by a model that did not learn from it."""
    assert world.opened().profile.rows == len(churn_trained.dataset)


def test_a_winner_that_no_server_would_open_is_refused(new_world):
    """Any scikit-learn estimator may be tried; one of untrusted types ends training until its owner trusts it."""
    world = new_world()
    rules = replace(world.loop.rules.training, candidates=("sklearn.neighbors.KNeighborsClassifier",))
    world.change(training=rules)
    with pytest.raises(UntrustedContentError, match="KDTree") as caught:
        world.train(churn_table(300, seed=1))
    assert world.kinds == []
    world.change(trust=Trust(types=frozenset(caught.value.types)))
    assert world.train(churn_table(300, seed=1)).leaderboard.winner.name == "KNeighborsClassifier"


def test_the_winner_is_the_first_of_the_leaderboard(new_world):
    """Two candidates, one bundle: that of the one with the better cross-validation."""
    world = new_world()
    rules = replace(world.loop.rules.training, candidates=("random_forest", "logistic"))
    world.change(training=rules)
    trained = world.train(churn_table(300, seed=1))
    assert trained.leaderboard.winner.name == "logistic"
