"""MLflow's registry and tracker, opened as the settings say: the one half of ``operate`` that imports MLflow."""

import os

from vigie.adapters.mlflow_registry import MlflowRegistry
from vigie.adapters.mlflow_tracking import MlflowTracker, open_client
from vigie.settings import Settings
from vigie.wiring.state import state_folder


def open_tracked(settings: Settings) -> tuple[MlflowRegistry, MlflowTracker]:
    """Open both.

    Raises:
        RegistryError: MLflow's store cannot be opened.
    """
    root = state_folder(settings)
    client = open_client(settings.tracking_uri)
    # In the embedded store Vigie says where artifacts lie; a server or a database of one's own knows by itself.
    artifacts = (root / "artifacts").as_uri() if settings.stores.tracking_uri is None else None
    return MlflowRegistry(client), MlflowTracker(client, artifacts=artifacts, under=os.environ.get("MLFLOW_RUN_ID"))
