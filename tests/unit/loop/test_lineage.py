"""From a prediction back to what led to it, also where parts of it are gone."""

import json
from dataclasses import replace
from uuid import UUID

import pytest

from vigie.domain.event import EventKind
from vigie.domain.window import Window
from vigie.errors import ModelNotFoundError, UnknownPredictionError
from vigie.loop.lineage import lineage_of_prediction, lineage_of_version
from vigie.loop.promote import Move, promote
from vigie.testing.tables import churn_table


@pytest.fixture
def asked(world):
    """Return a world, the id of one of its predictions, and the outcome told of it."""
    told = world.ask(churn_table(5, seed=2))
    return world, *told[2]


def test_the_answer_is_the_logged_one(asked):
    """Features, label, probabilities and outcome are those of the log's row."""
    world, prediction_id, outcome = asked
    found = lineage_of_prediction(world.loop, prediction_id)
    window = Window(found.answered.at, world.clock.now())
    rows = world.log.rows("churn", world.opened().schema, window)
    place = rows.records.column("id").to_pylist().index(str(prediction_id))
    record = rows.records.slice(place, 1).to_pylist()[0]
    assert found.answered.features == rows.features.slice(place, 1).to_pylist()[0]
    assert found.answered.prediction == json.loads(record["label"])
    assert list(found.answered.probabilities.values()) == record["probabilities"]
    assert found.answered.outcome == outcome


def test_it_leads_to_run_data_and_decision(asked, churn_trained):
    """What training recorded is what is found."""
    world, prediction_id, _ = asked
    found = lineage_of_prediction(world.loop, prediction_id)
    assert (found.model, found.version) == ("churn", "1")
    assert found.manifest.data_digest == churn_trained.dataset.digest
    assert found.manifest.lineage["run_id"] == churn_trained.runs.child_ids["logistic"]
    assert found.manifest.lineage["split"] == churn_trained.split.how
    assert [event.kind for event in found.decided] == [EventKind.REGISTERED]
    assert found.decided[0].evidence["verdict"] == "promote"
    assert [event.evidence["by"] for event in found.reigned] == ["test"]
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert told["prediction"]["prediction_id"] == str(prediction_id)


def test_promotions_after_the_answer_do_not_count(asked, churn_trained):
    """A version that came back later was put in place, for this answer, by its first promotion."""
    world, prediction_id, _ = asked
    world.register(churn_trained)
    for version, expected in (("2", "1"), ("1", "2")):
        promote(world.loop, Move(version, expected=expected, reasons=("By hand.",)), owner="later")
    assert [event.evidence["by"] for event in lineage_of_prediction(world.loop, prediction_id).reigned] == ["test"]
    assert [event.evidence["by"] for event in lineage_of_version(world.loop, "champion").reigned] == ["test", "later"]


def test_a_version_that_was_deleted_leaves_what_the_log_and_the_ledger_know(asked):
    """Its bundle is gone; when, which version and why remain."""
    world, prediction_id, _ = asked

    class Forgetful:
        def members(self, name, version):
            raise ModelNotFoundError(name, wanted=version)

    found = lineage_of_prediction(replace(world.loop, registry=Forgetful()), prediction_id)
    assert found.manifest is None
    assert (found.version, found.answered.prediction) == ("1", None)
    assert [event.kind for event in found.reigned] == [EventKind.PROMOTED]
    assert json.loads(json.dumps(found.to_dict()))["bundle"] is None


def test_what_nobody_knows_is_said(world):
    """An id that was never given, a version that was never registered."""
    with pytest.raises(UnknownPredictionError):
        lineage_of_prediction(world.loop, UUID(int=7 << 76 | 2 << 62))
    with pytest.raises(ModelNotFoundError):
        lineage_of_version(world.loop, "9")
