"""What every test shares."""

from pathlib import Path

import pytest
from hypothesis import settings

from vigie.domain.model import RunRecord

# Properties say what is true, not how fast: on a shared machine a deadline is a coin toss.
settings.register_profile("vigie", deadline=None)
settings.load_profile("vigie")


@pytest.fixture
def kept_in_mlflow(client):
    """Return what reads a run back through MLflow's own client; the module that asks has a ``client``."""

    def read(run_id):
        run = client.get_run(run_id)
        return RunRecord(run.info.run_name, run.data.params, run.data.metrics, run.data.tags)

    return read


@pytest.fixture
def attached_in_mlflow(client, tmp_path):
    """Return what reads a run's files and note back; the module that asks has a ``client``."""

    def read(run_id):
        listed = client.list_artifacts(run_id)
        listed += [below for item in listed if item.is_dir for below in client.list_artifacts(run_id, item.path)]
        names = [item.path for item in listed if not item.is_dir]
        files = {name: Path(client.download_artifacts(run_id, name, str(tmp_path))).read_bytes() for name in names}
        return files, client.get_run(run_id).data.tags.get("mlflow.note.content", "")

    return read
