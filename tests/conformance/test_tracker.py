"""Every tracker keeps the port's contract."""

import getpass
import json
import subprocess
import sys

import mlflow
import pytest

from vigie.adapters.mlflow_tracking import MlflowTracker, open_client
from vigie.adapters.process_name import process_name
from vigie.domain.model import RunRecord, UsedRows
from vigie.testing import InMemoryTracker
from vigie.testing.conformance import TrackerSuite

# MLflow's own use of SQLAlchemy; nothing here can change it.
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")


ROLES = (("training", 80), ("test", 20))


class TestInMemoryTracker(TrackerSuite):
    """The fake."""

    @pytest.fixture
    def tracker(self):
        """Return a tracker in memory."""
        return InMemoryTracker()

    @pytest.fixture
    def kept(self, tracker):
        """Return what reads a run back."""
        return lambda run_id: tracker.runs[run_id].record

    @pytest.fixture
    def attached(self, tracker):
        """Return what reads files and note back."""
        return lambda run_id: (tracker.files.get(run_id, {}), tracker.notes.get(run_id, ""))


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """Return a client of one SQLite store: making one takes seconds."""
    return open_client(f"sqlite:///{tmp_path_factory.mktemp('mlflow') / 'mlflow.db'}")


class TestMlflowTracker(TrackerSuite):
    """The real one, on SQLite."""

    @pytest.fixture
    def tracker(self, client, tmp_path):
        """Return a tracker on the store that the tests share."""
        return MlflowTracker(client, artifacts=tmp_path.as_uri())

    @pytest.fixture
    def kept(self, kept_in_mlflow):
        """Return what reads a run back through MLflow's own client."""
        return kept_in_mlflow

    @pytest.fixture
    def attached(self, attached_in_mlflow):
        """Return what reads files and note back."""
        return attached_in_mlflow

    def test_rows_are_shown_as_datasets(self, tracker, client):
        """Both parts with their role, size and columns; the digest as much of it as MLflow keeps."""
        used = [UsedRows("shop", role, "ab" * 32, "data:load", n, {"tenure": "integer"}) for role, n in ROLES]
        tracked = tracker.record("churn", RunRecord("train", rows=tuple(used)), [])
        found = client.get_run(tracked.parent_id).inputs.dataset_inputs
        shown = {item.tags[0].value: item.dataset for item in found}
        assert shown.keys() == {"training", "test"}
        assert shown["training"].digest == ("ab" * 32)[:36]
        assert json.loads(shown["test"].profile) == {"num_rows": 20}
        assert json.loads(shown["test"].schema) == {"mlflow_colspec": [{"name": "tenure", "type": "long"}]}
        assert mlflow.data.get_source(found[0]).to_dict() == {"tags": {"vigie.source": "data:load"}}

    def test_a_value_by_fold_is_a_step(self, tracker, client):
        """MLflow draws them as a line."""
        tracked = tracker.record("churn", RunRecord("train", series={"folds/f1": (0.6, 0.8, 0.7)}), [])
        history = client.get_metric_history(tracked.parent_id, "folds/f1")
        assert [(item.step, item.value) for item in history] == [(0, 0.6), (1, 0.8), (2, 0.7)]

    def test_a_run_shows_its_length_and_who_made_it(self, tracker, client):
        """The seconds that fitting took, not those that recording took."""
        info = client.get_run(tracker.record("churn", RunRecord("train", seconds=12.5), []).parent_id).info
        assert info.end_time - info.start_time == 12_500
        assert client.get_run(info.run_id).data.tags["mlflow.user"] == getpass.getuser()

    def test_ours_go_below_a_run_that_mlflow_started(self, client, tmp_path):
        """In its experiment, whatever ours is called; a run of another store is no reason to fail."""
        outer = client.create_run(client.create_experiment("by hand", artifact_location=tmp_path.as_uri()))
        below = MlflowTracker(client, artifacts=None, under=outer.info.run_id).record("churn", RunRecord("t"), [])
        run = client.get_run(below.parent_id)
        assert run.data.tags["mlflow.parentRunId"] == outer.info.run_id
        assert run.info.experiment_id == outer.info.experiment_id
        alone = MlflowTracker(client, artifacts=tmp_path.as_uri(), under="0" * 32).record("churn", RunRecord("t"), [])
        assert "mlflow.parentRunId" not in client.get_run(alone.parent_id).data.tags

    def test_what_a_killed_process_left_running_is_marked_at_the_next_record(self, tracker, client, tmp_path):
        """Its run is KILLED; one of a process that lives, and one that somebody else began, go on running."""
        place = client.create_experiment("killed", artifact_location=tmp_path.as_uri())
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
            left = client.create_run(place, tags={"vigie.recorder": process_name(process.pid)})
            process.kill()
        others = [client.create_run(place, tags=tags) for tags in ({"vigie.recorder": process_name()}, {})]
        tracker.record("killed", RunRecord("train"), [])
        assert client.get_run(left.info.run_id).info.status == "KILLED"
        assert [client.get_run(run.info.run_id).info.status for run in others] == ["RUNNING", "RUNNING"]

    def test_a_long_note_ends_after_a_line(self, tracker, client):
        """MLflow keeps 8,000 characters of a tag."""
        run_id = tracker.record("churn", RunRecord("train"), []).parent_id
        tracker.attach(run_id, {}, note="a line of a card\n" * 2000)
        note = client.get_run(run_id).data.tags["mlflow.note.content"]
        assert len(note) <= 8000
        assert note.endswith("a line of a card\n…")

    def test_a_child_names_its_parent(self, tracker, client):
        """MLflow's own pages nest the candidates under the training."""
        tracked = tracker.record("churn", RunRecord("train"), [RunRecord("logistic")])
        child = client.get_run(tracked.child_ids["logistic"])
        assert child.data.tags["mlflow.parentRunId"] == tracked.parent_id
        assert child.info.status == "FINISHED"

    @pytest.mark.parametrize(
        ("params", "metrics", "tags"),
        [
            ({"x": "v" * 20_000}, {}, {}),
            ({}, {}, {"vigie.source": "s" * 20_000}),
            ({}, {}, {"vigie.source": ""}),
            ({"x": ""}, {}, {}),
            ({f"p{i}": "1" for i in range(150)}, {}, {}),
            ({}, {f"m{i}": 1.0 for i in range(1200)}, {}),
            ({}, {}, {f"t{i}": "1" for i in range(150)}),
            ({"modèle": "é"}, {"précision": 1.0}, {"étiquette": "œ"}),
        ],
        ids=["long param", "long tag", "empty tag", "empty param", "many params", "many metrics", "many tags", "é"],
    )
    def test_what_mlflow_limits_is_kept_all_the_same(self, tracker, client, params, metrics, tags):
        """A long query as the source, a model with many parameters: training does not fail on its own record."""
        tracked = tracker.record("churn", RunRecord("train", params, metrics, tags), [])
        run = client.get_run(tracked.parent_id)
        assert run.data.params.keys() == params.keys()
        assert run.data.metrics == metrics
        assert tags.keys() <= run.data.tags.keys()
