"""Every tracker keeps the port's contract."""

import pytest

from vigie.adapters.mlflow_tracking import MlflowTracker, open_client
from vigie.domain.model import RunRecord
from vigie.testing import InMemoryTracker
from vigie.testing.conformance import TrackerSuite

# MLflow's own use of SQLAlchemy; nothing here can change it.
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")


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
    def kept(self, client):
        """Return what reads a run back through MLflow's own client."""

        def read(run_id):
            run = client.get_run(run_id)
            return RunRecord(run.info.run_name, run.data.params, run.data.metrics, run.data.tags)

        return read

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
