"""Every model registry keeps the port's contract."""

import itertools
import json
import shutil
from pathlib import Path

import pytest

from vigie.adapters.mlflow_registry import MlflowRegistry
from vigie.adapters.mlflow_tracking import MlflowTracker, open_client
from vigie.adapters.sparing_registry import alias_in
from vigie.domain.model import RunRecord
from vigie.errors import RegistryError
from vigie.testing import FakeClock, InMemoryRegistry
from vigie.testing.conformance import RegistrySuite

# MLflow's own use of SQLAlchemy; nothing here can change it.
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")


class TestInMemoryRegistry(RegistrySuite):
    """The fake."""

    @pytest.fixture
    def registry(self):
        """Return a registry in memory."""
        return InMemoryRegistry(FakeClock())


class _Renamed:
    """One registry inside a store that tests share: names get a prefix on the way in and lose it on the way out."""

    def __init__(self, inner, prefix):
        self._inner = inner
        self._prefix = prefix

    def __getattr__(self, verb):
        def call(name, *args, **kwargs):
            try:
                return self._bare(getattr(self._inner, verb)(self._prefix + name, *args, **kwargs))
            except RegistryError as error:
                if hasattr(error, "name"):
                    error.name = error.name.removeprefix(self._prefix)
                raise

        return call

    def _bare(self, found):
        if isinstance(found, list):
            return [self._bare(item) for item in found]
        if hasattr(found, "name"):
            object.__setattr__(found, "name", found.name.removeprefix(self._prefix))
        return found


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """Return a client of one SQLite store: making one takes seconds."""
    return open_client(f"sqlite:///{tmp_path_factory.mktemp('mlflow') / 'mlflow.db'}")


@pytest.fixture(scope="module")
def experiment_id(client, tmp_path_factory):
    """Return an experiment whose artifacts lie in a temporary folder."""
    return client.create_experiment("test", artifact_location=tmp_path_factory.mktemp("artifacts").as_uri())


class TestMlflowRegistry(RegistrySuite):
    """The real one, on SQLite."""

    _numbers = itertools.count()

    @pytest.fixture
    def registry(self, client):
        """Return a registry that is empty for this test."""
        return _Renamed(MlflowRegistry(client), f"m{next(self._numbers)}-")

    @pytest.fixture
    def new_run(self, client, experiment_id):
        """Return what makes a real run."""
        return lambda: client.create_run(experiment_id).info.run_id

    @pytest.mark.parametrize("alias", ["champion!", "a b", "v1", "é", "", "x" * 300, "a/b", "' OR 1=1"])
    def test_an_alias_that_mlflow_does_not_take_points_nowhere(self, registry, publish, alias):
        """Whatever a person types after `vigie promote` is not found, with the names that there are."""
        publish()
        assert registry.alias("churn", alias) is None
        with pytest.raises(RegistryError, match="Known: 1"):
            registry.version("churn", alias)

    def test_an_alias_is_read_from_the_store_as_mlflow_tells_it(self, client, registry, publish):
        """Set, moved, and gone with its version: the file says what MLflow says, or nothing."""
        publish()
        (stored,) = client.search_model_versions(f"run_id='{registry.version('churn', '1').run_id}'")
        publish()
        file = Path(client.tracking_uri.removeprefix("sqlite:///"))
        for version in ("1", "2"):
            registry.point("churn", "champion", version)
            assert alias_in(file, stored.name, "champion") == registry.alias("churn", "champion") == version
        client.delete_model_version(stored.name, "2")
        assert alias_in(file, stored.name, "champion") is registry.alias("churn", "champion") is None

    def test_a_store_that_is_no_store_is_a_registry_error(self, tmp_path):
        """A text file in the place of the database is told in words, not as a driver's traceback."""
        (tmp_path / "mlflow.db").write_text("this is not a database, and long enough to be looked at " * 50)
        with pytest.raises(RegistryError, match="MLflow could not"):
            MlflowRegistry(open_client(f"sqlite:///{tmp_path / 'mlflow.db'}")).alias("churn", "champion")

    def test_an_unknown_kind_of_store_is_a_registry_error(self):
        """A scheme that MLflow does not know is told in words."""
        with pytest.raises(RegistryError, match="MLflow could not"):
            MlflowRegistry(open_client("gopher://nowhere/")).alias("churn", "champion")

    def test_a_path_that_cannot_be_made_is_a_registry_error(self, tmp_path):
        """A file where a folder should be is told in words."""
        (tmp_path / "file").write_text("")
        with pytest.raises(RegistryError, match="MLflow could not"):
            open_client(f"sqlite:///{tmp_path / 'file' / 'mlflow.db'}")

    def test_artifacts_that_are_gone_are_an_error_that_says_so(self, registry, publish, client):
        """Somebody deleted the files: not found or a storage failure, never a traceback of MLflow."""
        publish()
        (stored,) = client.search_model_versions(f"run_id='{registry.version('churn', '1').run_id}'")
        uri = client.get_model_version_download_uri(stored.name, "1")
        shutil.rmtree(uri.removeprefix("file://"))
        with pytest.raises(RegistryError):
            registry.members("churn", "1")

    def test_a_version_shows_its_card_and_comes_from_a_model_that_is_ready(self, client, experiment_id):
        """MLflow's page of a version tells the card; the model behind it is READY and has the run's metrics."""
        record = RunRecord("logistic", metrics={"test_f1": 0.9}, series={"folds/f1": (0.8, 0.7)})
        tracker = MlflowTracker(client, artifacts=client.get_experiment(experiment_id).artifact_location)
        run_id = tracker.record("cards", record, []).parent_id
        card = "# A card\n" + "with many lines\n" * 1000
        MlflowRegistry(client).publish("with.card", {"card.md": card.encode()}, run_id=run_id, tags={"a": "b"})
        stored = client.get_model_version("with.card", "1")
        assert stored.description.startswith("# A card\n")
        assert len(stored.description) <= 5000
        (output,) = client.get_run(run_id).outputs.model_outputs
        made = client.get_logged_model(output.model_id)
        assert (made.status.value, made.source_run_id) == ("READY", run_id)
        assert [(metric.key, metric.value) for metric in made.metrics] == [("test_f1", 0.9)]
        assert json.loads(made.tags["mlflow.modelVersions"]) == [{"name": "with.card", "version": 1}]
        assert len(client.get_metric_history(run_id, "test_f1")) == 1

    @pytest.mark.parametrize("step", ["log_model_artifacts", "create_model_version"])
    def test_a_publication_that_fails_leaves_nothing(self, client, experiment_id, monkeypatch, step):
        """A full disk, a server that goes away half-way: no version, no model that is pending or failed for ever."""
        run_id = client.create_run(experiment_id).info.run_id
        name = f"halfway-{step}"

        def left():
            return [model for model in client.search_logged_models([experiment_id]) if model.name == name]

        def refuse(*_args, **_kwargs):
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(client, step, refuse)
            with pytest.raises(RegistryError, match="No space left"):
                MlflowRegistry(client).publish(name, {"card.md": b"x"}, run_id=run_id, tags={})
        assert left() == []
        assert MlflowRegistry(client).versions(name) == []
        MlflowRegistry(client).publish(name, {"card.md": b"x"}, run_id=run_id, tags={})
        assert [model.status.value for model in left()] == ["READY"]  # control: what is left is seen
