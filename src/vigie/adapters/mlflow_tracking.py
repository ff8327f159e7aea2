"""MLflow Tracking: runs under one parent, written in batches.

This file also opens the client that ``mlflow_registry`` uses; MLflow is imported in these two files and nowhere else.
Its own telemetry is switched off before it is imported: Vigie never phones home, nor does what it brings along.
"""

import logging
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from sqlalchemy.exc import SQLAlchemyError

from vigie.domain.model import RunRecord, TrackedRuns
from vigie.errors import RegistryError

# A new SQLite store tells of each of its migrations; a user did not ask.
for _name in ("mlflow", "alembic"):
    logging.getLogger(_name).setLevel(logging.WARNING)
# This one logs a traceback of whatever it then raises; ``translated`` tells it in a sentence.
logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)


def open_client(uri: str) -> MlflowClient:
    """Open tracking and registry at one address; a new SQLite store is made at first use.

    Raises:
        RegistryError: MLflow cannot use the address.
    """
    with translated(f"open {_without_password(uri)}"):
        if uri.startswith("sqlite:///"):
            Path(uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        return MlflowClient(tracking_uri=uri, registry_uri=uri)


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn whatever MLflow raises into a RegistryError that says what was being done."""
    try:
        yield
    except MlflowException as exc:
        raise RegistryError(
            f"MLflow could not {doing}: {exc}.", remedy="Check stores.tracking_uri and that its server runs."
        ) from exc
    except SQLAlchemyError as exc:  # MLflow lets its driver's own errors through while it opens a store
        raise RegistryError(
            f"MLflow could not {doing}: {str(exc).splitlines()[0]}.",
            remedy="Check that stores.tracking_uri names an MLflow store.",
        ) from exc
    except OSError as exc:
        raise RegistryError(f"MLflow could not {doing}: {exc}.", remedy="Check the disk and the permissions.") from exc


class MlflowTracker:
    """Keeps runs in MLflow."""

    def __init__(self, client: MlflowClient, *, artifacts: str | None) -> None:
        """Take an open client.

        Args:
            client: see ``open_client``.
            artifacts: where new experiments keep their artifacts; None lets the server decide.
        """
        self._client = client
        self._artifacts = artifacts

    def record(self, experiment: str, parent: RunRecord, children: Sequence[RunRecord]) -> TrackedRuns:
        """Keep one parent run with its children, each in one batch.

        Raises:
            RegistryError: the tracking store refused or cannot be reached.
        """
        with translated(f"record the runs of {experiment!r}"):
            experiment_id = self._experiment_id(experiment)
            parent_id = self._write(experiment_id, parent, {})
            child_ids = {
                child.name: self._write(experiment_id, child, {"mlflow.parentRunId": parent_id}) for child in children
            }
        return TrackedRuns(parent_id, child_ids)

    def _experiment_id(self, name: str) -> str:
        found = self._client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        return str(self._client.create_experiment(name, artifact_location=self._artifacts))

    def _write(self, experiment_id: str, record: RunRecord, links: dict[str, str]) -> str:
        run = self._client.create_run(experiment_id, run_name=record.name)
        now_ms = int(time.time() * 1000)
        self._client.log_batch(
            run.info.run_id,
            metrics=[Metric(name, value, now_ms, 0) for name, value in record.metrics.items()],
            params=[Param(name, value[:6000]) for name, value in record.params.items()],
            tags=[RunTag(name, value) for name, value in {**record.tags, **links}.items()],
        )
        self._client.set_terminated(run.info.run_id)
        return str(run.info.run_id)


def _without_password(uri: str) -> str:
    scheme, separator, rest = uri.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
