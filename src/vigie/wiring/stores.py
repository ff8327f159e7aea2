"""The embedded stores of a project, opened where its settings say. Imports neither MLflow nor the training stack."""

from pathlib import Path

from vigie.adapters.clock import SystemClock
from vigie.adapters.ledger.sqlite import SqliteLedger
from vigie.adapters.prediction_log.sqlite import SqlitePredictionLog
from vigie.adapters.signing_key import read_signing_key
from vigie.bundle.signature import Signer
from vigie.settings import Settings
from vigie.wiring.state import LOG, state_folder


def open_log(settings: Settings) -> SqlitePredictionLog:
    """Open the prediction log."""
    return SqlitePredictionLog(state_folder(settings) / LOG, durable=settings.stores.durable)


def open_ledger(settings: Settings) -> SqliteLedger:
    """Open the ledger."""
    return SqliteLedger(state_folder(settings) / "ledger.db", clock=SystemClock())


def signer_of(settings: Settings) -> Signer | None:
    """Return the key that the settings name; a relative path starts at the project's folder.

    Raises:
        ConfigurationError: the key cannot be read.
    """
    named = settings.bundle.signing_key
    return read_signing_key(settings.folder / Path(named).expanduser()) if named else None
