"""The embedded stores of a project, opened where its settings say. Imports neither MLflow nor the training stack."""

from vigie.adapters.clock import SystemClock
from vigie.adapters.ledger.sqlite import SqliteLedger
from vigie.adapters.prediction_log.sqlite import SqlitePredictionLog
from vigie.settings import Settings
from vigie.wiring.state import LOG, state_folder


def open_log(settings: Settings) -> SqlitePredictionLog:
    """Open the prediction log."""
    return SqlitePredictionLog(state_folder(settings) / LOG, durable=settings.stores.durable)


def open_ledger(settings: Settings) -> SqliteLedger:
    """Open the ledger."""
    return SqliteLedger(state_folder(settings) / "ledger.db", clock=SystemClock())
