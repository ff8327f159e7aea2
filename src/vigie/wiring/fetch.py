"""The champion's bundle brought to a folder that a server can start from: what an image takes along."""

from pathlib import Path

from vigie.adapters.bundle_cache import BundleCache
from vigie.errors import NoChampionError
from vigie.settings import Settings
from vigie.wiring.follow import follow_once, open_registry
from vigie.wiring.state import trust_of


def fetch_champion(settings: Settings, folder: Path) -> str:
    """Bring the champion's bundle, and return its version.

    Args:
        settings: of the project.
        folder: laid out as ``bundles`` of a state folder; what it holds stays, and the pointer moves.

    Raises:
        NoChampionError: no version serves.
        SignatureError: the champion is not signed as the settings ask.
        StorageError: the folder cannot be written.
    """
    version = follow_once(
        open_registry(settings), BundleCache(folder), settings.project.name, trust_of(settings.bundle)
    )
    if version is None:
        raise NoChampionError(settings.project.name)
    return version
