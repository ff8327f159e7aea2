"""MLflow's registry and tracker, opened as the settings say: the one half of ``operate`` that imports MLflow."""

import os

from vigie.adapters.mlflow_registry import MlflowRegistry
from vigie.adapters.mlflow_store import artifacts_beside, sqlite_file
from vigie.adapters.mlflow_tracking import MlflowTracker, open_client
from vigie.settings import Settings
from vigie.wiring.state import state_folder


def open_tracked(settings: Settings) -> tuple[MlflowRegistry, MlflowTracker]:
    """Open both.

    Raises:
        RegistryError: MLflow's store cannot be opened.
    """
    state_folder(settings)
    client = open_client(settings.tracking_uri)
    # A SQLite file has its artifacts beside it, wherever a command is run from; a server knows by itself.
    database = sqlite_file(settings.tracking_uri)
    artifacts = artifacts_beside(database) if database else None
    return MlflowRegistry(client), MlflowTracker(client, artifacts=artifacts, under=os.environ.get("MLFLOW_RUN_ID"))
