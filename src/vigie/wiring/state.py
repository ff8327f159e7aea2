"""What a server opens of local state: the way into the prediction log, and the bundle cache. Imports no Arrow."""

from pathlib import Path

from vigie.adapters.bundle_cache import BundleCache
from vigie.adapters.clock import SystemClock
from vigie.adapters.prediction_log.writer import SqlitePredictionWriter
from vigie.bundle.trust import Trust
from vigie.errors import StorageError
from vigie.settings import Settings
from vigie.settings.sections import BundleSettings

LOG = "predictions.db"


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


def open_writer(settings: Settings) -> SqlitePredictionWriter:
    """Open the prediction log for writing; one per process."""
    return SqlitePredictionWriter(
        state_folder(settings) / LOG,
        durable=settings.stores.durable,
        max_waiting_rows=settings.serving.max_waiting_rows,
        clock=SystemClock(),
    )


def open_cache(settings: Settings) -> BundleCache:
    """Open the bundle cache that the follower fills and the server reads."""
    baked = settings.stores.bundles  # in an image they may be part of it, while the log is in a volume
    return BundleCache(settings.folder / Path(baked).expanduser() if baked else state_folder(settings) / "bundles")


def trust_of(bundle: BundleSettings) -> Trust:
    """Return whom and what the settings trust when a bundle is opened."""
    return Trust(frozenset(bundle.trusted_types), bundle.require_signature, frozenset(bundle.trusted_keys))
