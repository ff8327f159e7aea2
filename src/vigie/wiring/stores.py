"""The embedded stores of a project, opened where its settings say. Imports neither MLflow nor the training stack."""

from pathlib import Path

from vigie.adapters.bundle_cache import BundleCache
from vigie.adapters.clock import SystemClock
from vigie.adapters.ledger.sqlite import SqliteLedger
from vigie.adapters.prediction_log.sqlite import SqlitePredictionLog
from vigie.adapters.signing_key import read_signing_key
from vigie.bundle.signature import Signer
from vigie.bundle.trust import Trust
from vigie.errors import StorageError
from vigie.settings import Settings


def state_folder(settings: Settings) -> Path:
    """Return the folder of all local state, made if need be.

    Raises:
        StorageError: it cannot be made or written.
    """
    try:
        settings.root.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise StorageError(str(settings.root), f"The state folder cannot be made: {exc}.", retryable=False) from exc
    return settings.root


def open_log(settings: Settings) -> SqlitePredictionLog:
    """Open the prediction log."""
    return SqlitePredictionLog(state_folder(settings) / "predictions.db", durable=settings.stores.durable)


def open_ledger(settings: Settings) -> SqliteLedger:
    """Open the ledger."""
    return SqliteLedger(state_folder(settings) / "ledger.db", clock=SystemClock())


def open_cache(settings: Settings) -> BundleCache:
    """Open the bundle cache that the follower fills and the server reads."""
    return BundleCache(state_folder(settings) / "bundles")


def trust_of(settings: Settings) -> Trust:
    """Return whom and what the settings trust when a bundle is opened."""
    bundle = settings.bundle
    return Trust(frozenset(bundle.trusted_types), bundle.require_signature, frozenset(bundle.trusted_keys))


def signer_of(settings: Settings) -> Signer | None:
    """Return the key that the settings name; a relative path starts at the project's folder.

    Raises:
        ConfigurationError: the key cannot be read.
    """
    named = settings.bundle.signing_key
    return read_signing_key(settings.folder / Path(named).expanduser()) if named else None
